// The registers of an interrupted x86-64 context as roots of a moved stack.
//
// The floating-point part of the context is an XSAVE area: the FXSAVE image (512 bytes, the SSE registers at 160), the
// XSAVE header (64 bytes), then the components that this processor has. Its size is in the software-reserved
// bytes at 464, behind a magic number (arch/x86/include/uapi/asm/sigcontext.h).
#include "../../shim_code.h"

#if defined(__x86_64__)
#include "../../relocation.h"

enum {
    SSE_OFFSET = 160,
    SSE_BYTES = 256,
    SOFTWARE_BYTES = 464,
    EXTENDED_OFFSET = 576,
    LARGEST_AREA = 16 << 10, // AMX tile data included; a larger size is not believed
};
#define FP_XSTATE_MAGIC 0x46505853u

struct software_bytes {
    uint32_t magic;
    uint32_t extended_size;
    uint64_t features;
    uint32_t xstate_size;
};

void fl_relocate_context(fl_relocation *relocation, ucontext_t *context) {
    // All of r8 … r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp lie in the first 16 words; the instruction pointer too is
    // a word that may not change, and code never lies in a stack.
    greg_t *registers = context->uc_mcontext.gregs;
    _Static_assert(REG_R8 == 0 && REG_RSP == 15 && REG_RIP == 16, "sixteen general registers come first");
    for (int i = 0; i <= REG_RSP; i++) registers[i] = (greg_t)fl_relocate(relocation, (uintptr_t)registers[i]);
    relocation->scanned += 16;

    uint8_t *area = (uint8_t *)context->uc_mcontext.fpregs;
    if (!area) return;
    fl_relocate_words(relocation, (uintptr_t *)(void *)(area + SSE_OFFSET), SSE_BYTES / FL_WORD);
    struct software_bytes software;
    memcpy(&software, area + SOFTWARE_BYTES, sizeof software);
    if (software.magic != FP_XSTATE_MAGIC) return;
    if (software.xstate_size <= EXTENDED_OFFSET || software.xstate_size > LARGEST_AREA) return;
    fl_relocate_words(relocation, (uintptr_t *)(void *)(area + EXTENDED_OFFSET),
                      (software.xstate_size - EXTENDED_OFFSET) / FL_WORD);
}
#endif

#pragma clang attribute pop
