#include "textflag.h"

// func bounds() stackBounds
TEXT ·bounds(SB), NOSPLIT, $0-16
	MOVQ (TLS), AX
	MOVQ 0(AX), CX
	MOVQ 8(AX), DX
	MOVQ CX, ret_low+0(FP)
	MOVQ DX, ret_high+8(FP)
	RET
