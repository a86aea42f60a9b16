// What this toolchain compiles in place of a stack check. This file is added by Faultline.

package x86

import (
	"cmd/internal/obj"
	"internal/abi"
)

// makeProbe makes a probe of the check that ends with branch, where the function keeps none: a load that faults exactly
// when the check fails. What the check led to stays behind the function's code, where the handler of the fault goes on.
func makeProbe(ctxt *obj.Link, function *obj.LSym, before, branch *obj.Prog, frame int32) {
	if ctxt.IsAsm || function.CFunc() || hasStackCheck(ctxt, function, frame) {
		return
	}
	for p := before.Link; p != branch; p = p.Link {
		switch {
		case p.As == ALEAQ && p.From.Reg == REG_SP && p.To.Reg == REGENTRYTMP0:
			p.As, p.From, p.To = obj.ANOP, obj.Addr{}, obj.Addr{}
		case p.As == ACMPQ:
			// TESTB AX, -distance(SP)(GS*1)
			p.As = ATESTB
			p.From = obj.Addr{Type: obj.TYPE_REG, Reg: REG_AX}
			distance := int64(frame)
			if distance < abi.StackSmall {
				distance = abi.StackSmall
			}
			p.To = obj.Addr{Type: obj.TYPE_MEM, Reg: REG_SP, Index: REG_GS, Scale: 1, Offset: -distance}
		}
	}
	branch.As, branch.To = obj.ANOP, obj.Addr{}
}
