// See go_growth.h. What the code may use: Go's internal calling convention keeps only rsp, rbp, r14 (the goroutine),
// r15 and xmm15 across a call, so that at the entry of a function all registers but its arguments are free. A system
// call changes rax, rcx and r11. Nothing of it is known to Go's tables: a signal that arrives here finds an address of
// no function, which Go treats like code of the kernel's vDSO (no preemption, no traceback).
//
//     stack      | guard: a page | lo … size: a power of two, at least a page … hi |
//     region     links | stack, stack, …   4 MiB at a multiple of that, for stacks of one size
//     links      a word for each page of the region. Of a free stack: of its lo page the next free one, of its guard's
//                page whether the running trim may give it back
//     lone       link | stack   a mapping of its own, for stacks from 1 MiB up
//
// A guard stays when its stack is freed, so that one system call makes a stack and none frees it; a stack of 16 MiB or
// more is unmapped. A collection of garbage gives the pages back of stacks that were free since the collection before
// it, up to a gibibyte; the next one goes on. Their guards stay: MADV_DONTNEED leaves them, so that one call takes all
// neighbours.

#if defined(__x86_64__) && defined(__linux__)

#include "threads.h"

#define SYS_WRITE 1
#define SYS_OPEN 2
#define SYS_POLL 7
#define SYS_MMAP 9
#define SYS_MPROTECT 10
#define SYS_MUNMAP 11
#define SYS_MADVISE 28
#define SYS_SCHED_YIELD 24
#define SYS_ARCH_PRCTL 158
#define SYS_FUTEX 202
#define SYS_EXIT_GROUP 231
#define ARCH_SET_GS 0x1001
#define AT_SECURE 23
#define AT_HWCAP2 26
#define HWCAP2_FSGSBASE 2 // wrgsbase may be used: Linux 5.9, Intel since 2012, AMD since 2015
#define MADV_DONTNEED 4
#define MADV_GUARD_INSTALL 102 // Linux 6.13
#define PROT_NONE 0
#define PROT_READ_WRITE 3
#define MAP_PRIVATE_ANONYMOUS_NORESERVE 0x4022
#define O_WRONLY_CREAT_APPEND_NOFOLLOW_CLOEXEC 0xa0441
#define FUTEX_WAIT_PRIVATE 128
#define ENOMEM 12
#define EFAULT 14
// struct siginfo: si_code, si_addr. struct ucontext: registers, of the general ones that begin at 40.
#define SI_CODE 8
#define SI_ADDR 16
#define UC_R13 80
#define UC_RSP 160
#define UC_RIP 168
// struct g of Go's runtime: what checks compare with. GoBinary looks whether the program has it there.
#define G_STACKGUARD0 16
#define STACK_GUARD 928 // what that is above the low end, where no one asks the goroutine to stop

#define PAGE 4096
#define PAGE_BITS 12

// What is added to the address of a probe. Go's check lets a function begin while rsp - N > lo + 928 (stackGuard),
// where N is its frame beyond 128 bytes (StackSmall). A probe reads at rsp - N - 128, and a byte below lo is in the
// guard: with 808 more it faults exactly when the check fails, since all these are multiples of eight.
#define GS_BASE -808

// A class of stacks of one size.
#define CLASSES 20 // 4 KiB to 2 GiB, the most that the argument of stackalloc can say
#define CLASS_LOCK 0
#define CLASS_RECENT 8 // the first that was freed since the last collection
#define CLASS_RECENT_LAST 16 // holds where there is a first
#define CLASS_IDLE 24 // freed before it, the oldest first
#define CLASS_IDLE_LAST 32
#define CLASS_CLEAN 40 // without pages
#define CLASS_NEXT 48 // where the next stack of the newest region begins
#define CLASS_END 56 // of that region
#define CLASS_BYTES 64
// Threads keep some stacks of the four smallest sizes, 64 KiB of each, by a number that follows from their record.
#define SHARDS 64
#define SHARD_CLASSES 4
#define SHARD_LOCK 0
#define SHARD_COUNTS 4
#define SHARD_STACKS 24 // 16, 8, 4 and 2
#define SHARD_BYTES 320
#define REGION (1 << 22)
#define REGION_LINKS (REGION / PAGE * 8)
// Behind the pages of the links and a guard.
#define FIRST_LINK ((REGION_LINKS / PAGE + 1) * 8)
// Classes below this one share regions.
#define LONE 8
// A link of others is there, from lo, and has a word below it, too.
#define LONE_LINK (8 - 2 * PAGE)
// Classes from here on are given back when they are freed: 16 MiB and more.
#define GIVEN_BACK 12
// What one collection gives back at most, in bytes of stacks and in calls: its thread runs no goroutine meanwhile.
#define TRIM_BYTES (1 << 30)
#define TRIM_CALLS 4096

// The data.
#define WANTED 0 // where statistics go: nothing, 1 for standard error, or the address of a path
#define PROBE_FAULTS 8
#define GROWTHS 16
#define SHRINKS 24
#define STACKS 32
#define DROPPED 40
#define ENDING 48
#define HAS_INSTRUCTION 52
#define TRIM_FIRST 56 // the class that the last trim began with
#define FAILED 60
#define CLASS_ARRAY 64
#define SHARD_ARRAY (CLASS_ARRAY + CLASSES * CLASS_BYTES)
#define TEXT (SHARD_ARRAY + SHARDS * SHARD_BYTES)
#define TEXT_BYTES 256
#define GUARD_KIND (TEXT + TEXT_BYTES) // how guards are made, once that is known
#define GUARD_BY_PAGES 1 // MADV_GUARD_INSTALL
#define GUARD_BY_PROTECTION 2
#define LAST_FAULTS (GUARD_KIND + 8)
#define LAST_FAULTS_BITS 6
#define DATA_BYTES (LAST_FAULTS + (8 << LAST_FAULTS_BITS))
#define GOLDEN_RATIO 0x9e3779b97f4a7c15 // spreads addresses of records

    // Where the data have the stack pointer at which a probe of a goroutine faulted last, if no other shares the place.
    .macro last_fault goroutine, base, register
    movabsq $GOLDEN_RATIO, \register
    imulq \goroutine, \register
    shrq $64 - LAST_FAULTS_BITS, \register
    leaq LAST_FAULTS(\base,\register,8), \register
    .endm

    .macro data register
    leaq fl_go_growth_begin(%rip), \register
    addq data_offset(%rip), \register
    .endm

    .macro system_call number
    movl $\number, %eax
    syscall
    .endm

    .section .rodata
    .balign 16
    .globl fl_go_growth_begin
    .hidden fl_go_growth_begin
    .type fl_go_growth_begin, @object
fl_go_growth_begin:
    .ascii "faultline strip\n"
parameters:
tls_offset:     .quad 0
data_offset:    .quad 0
text_offset:    .quad 0
probes_offset:  .quad 0
probe_count:    .quad 0
no_preemption_offset: .quad 0
pending_offset: .quad 0

// The first instruction of the program. rsp: the number of arguments, arguments, 0, environment, 0, what the kernel
// tells. Keeps rsp and rdx, which the loader sets.
on_start:
    pushq %rdx
    data %r8
    movq 8(%rsp), %rdx
    leaq 24(%rsp,%rdx,8), %rdx
1:  movq (%rdx), %rsi
    addq $8, %rdx
    testq %rsi, %rsi
    je 3f
    leaq variable(%rip), %rdi
    movl $variable_end - variable, %ecx
    repe cmpsb
    jne 1b
    cmpb $0, (%rsi)
    je 1b
    cmpb $'/', (%rsi)
    je 2f
    movl $1, %esi
2:  movq %rsi, WANTED(%r8)
    jmp 1b
3:  xorl %r9d, %r9d
4:  movq (%rdx), %rax
    addq $16, %rdx
    cmpq $AT_HWCAP2, %rax
    cmoveq -8(%rdx), %r9
    cmpq $AT_SECURE, %rax
    jne 5f
    cmpq $0, -8(%rdx)
    je 4b
    // A path that a user chose is not for a program with more rights.
    movq $0, WANTED(%r8)
5:  testq %rax, %rax
    jne 4b
    // The kernel's own call does not take a negative base, but emulators that lack the instruction do.
    movl $ARCH_SET_GS, %edi
    movq $GS_BASE, %rsi
    system_call SYS_ARCH_PRCTL
    testq %rax, %rax
    je 6f
    testb $HWCAP2_FSGSBASE, %r9b
    je no_gs
    movl $1, HAS_INSTRUCTION(%r8)
    wrgsbase %rsi
6:  popq %rdx
on_start_end:
    .skip 16, 0xcc

// Every thread that runs Go's code begins with it, also one that a library made before the program began.
// The first of them does so after the runtime has read its settings (schedinit), of which this one does not change
// again. Whatever set debug.asyncpreemptoff: without signals nothing stops a goroutine whose checks are probes, and a
// collection would wait for ever.
on_thread:
    cmpq $0, probe_count(%rip)
    je 2f
    leaq fl_go_growth_begin(%rip), %r8
    addq no_preemption_offset(%rip), %r8
    cmpl $0, (%r8)
    jne no_preemption
2:  data %r8
    movq $GS_BASE, %rsi
    cmpl $0, HAS_INSTRUCTION(%r8)
    je 1f
    wrgsbase %rsi
    jmp 3f
1:  movl $ARCH_SET_GS, %edi
    system_call SYS_ARCH_PRCTL
    testq %rax, %rax
    jne no_gs
3:  begin_thread

// Counts what newstack and shrinkstack ask of copystack, with its arguments in rax and rbx.
on_growth:
    data %rcx
    lock incq GROWTHS(%rcx)
    last_fault %rax, %rcx, %rdx
    movq $0, (%rdx)
on_growth_end:
    .skip 16, 0xcc
on_shrink:
    data %rcx
    lock incq SHRINKS(%rcx)
on_shrink_end:
    .skip 16, 0xcc

// stackalloc. eax: bytes. Returns lo and hi in rax and rbx.
allocate:
    movl $PAGE, %edx
    cmpl %edx, %eax
    cmovbl %edx, %eax
    decl %eax
    bsrl %eax, %edx
    subl $PAGE_BITS - 1, %edx // the class
    movl %edx, %ecx
    movl $PAGE, %esi
    shlq %cl, %rsi // its size
    data %r8
    xorl %r11d, %r11d
    cmpl $SHARD_CLASSES, %edx
    jae 1f
    call lock_shard
    testq %r11, %r11
    je 1f
    movl SHARD_COUNTS(%r11,%rdx,4), %ecx
    testl %ecx, %ecx
    je 1f
    decl %ecx
    movl %ecx, SHARD_COUNTS(%r11,%rdx,4)
    leaq first_stacks(%rip), %rdi
    movzbl (%rdi,%rdx), %edi
    addl %edi, %ecx
    movq SHARD_STACKS(%r11,%rcx,8), %rax
    movl $0, SHARD_LOCK(%r11)
    leaq (%rax,%rsi), %rbx
    ret
1:  call lock_class
    call take
    testq %rax, %rax
    je make
    movq %rax, %rbx
    testq %r11, %r11
    je 4f
    // Half of what the thread may keep comes along.
    leaq first_stacks(%rip), %r12
    movzbl (%r12,%rdx), %r12d
    movl $8, %r13d
    movl %edx, %ecx
    shrl %cl, %r13d
    xorl %r10d, %r10d
2:  call take
    testq %rax, %rax
    je 3f
    leal (%r12,%r10), %ecx
    movq %rax, SHARD_STACKS(%r11,%rcx,8)
    incl %r10d
    cmpl %r13d, %r10d
    jb 2b
3:  movl %r10d, SHARD_COUNTS(%r11,%rdx,4)
    movl $0, SHARD_LOCK(%r11)
4:  movl $0, CLASS_LOCK(%rdi)
    movq %rbx, %rax
    addq %rsi, %rbx
    ret

// A stack that was never used. edx, rdi: its class, locked. rsi: its size. r8: the data. r11: a shard, locked, or 0.
// Both are free again before the guard is installed.
make:
    testq %r11, %r11
    je 1f
    movl $0, SHARD_LOCK(%r11)
1:  movq %rdi, %r9
    movq %rsi, %rbx
    cmpl $LONE, %edx
    jae 3f
    leaq PAGE(%rbx), %r13
    movq CLASS_NEXT(%r9), %r12
    leaq (%r12,%r13), %r10
    cmpq CLASS_END(%r9), %r10
    jbe 2f
    call reserve
    leaq (%r12,%r13), %r10
2:  movq %r10, CLASS_NEXT(%r9)
    movl $0, CLASS_LOCK(%r9)
    jmp 4f
3:  movl $0, CLASS_LOCK(%r9)
    movq %r8, %r12
    leaq 2 * PAGE(%rbx), %rsi
    movl $PROT_READ_WRITE, %edx
    call map
    movq %r12, %r8
    leaq PAGE(%rax), %r12
4:  lock incq STACKS(%r8)
    movq %r12, %rdi
    movl $PAGE, %esi
    cmpl $GUARD_BY_PROTECTION, GUARD_KIND(%r8)
    je 5f
    movl $MADV_GUARD_INSTALL, %edx
    system_call SYS_MADVISE
    testq %rax, %rax
    je 7f
    // Not known to the system, locked memory, a filter of system calls.
5:  movl $PROT_NONE, %edx
    system_call SYS_MPROTECT
    testq %rax, %rax
    jne no_guard
6:  leaq PAGE(%r12), %rax
    addq %rax, %rbx
    ret
    // Emulators take advice that they do not know for advice to do nothing. The first guard is put to the test: a call
    // that compares its first word with 1 must fail to read it. Where it does not, no stack has such a guard.
7:  cmpl $GUARD_BY_PAGES, GUARD_KIND(%r8)
    je 6b
    movl $FUTEX_WAIT_PRIVATE, %esi
    movl $1, %edx
    xorl %r10d, %r10d
    system_call SYS_FUTEX
    movl $PAGE, %esi
    cmpq $-EFAULT, %rax
    je 8f
    movl $GUARD_BY_PROTECTION, GUARD_KIND(%r8)
    jmp 5b
8:  movl $GUARD_BY_PAGES, GUARD_KIND(%r8)
    jmp 6b

// r9: a class, locked, which gets a region. Returns in r12 where its stacks begin. Keeps r8, r9, rbx and r13.
reserve:
    pushq %r8
    pushq %r9
    movl $2 * REGION - PAGE, %esi
    movl $PROT_NONE, %edx
    call map
    // What lies around the region goes back. Where that fails it only takes addresses.
    movq %rax, %r10
    leaq REGION - 1(%rax), %r12
    andq $-REGION, %r12
    movq %rax, %rdi
    movq %r12, %rsi
    subq %rax, %rsi
    je 1f
    system_call SYS_MUNMAP
1:  leaq REGION(%r12), %rdi
    leaq 2 * REGION - PAGE(%r10), %rsi
    subq %rdi, %rsi
    je 2f
    system_call SYS_MUNMAP
2:  movq %r12, %rdi
    movl $REGION, %esi
    movl $PROT_READ_WRITE, %edx
    system_call SYS_MPROTECT
    testq %rax, %rax
    jne no_memory
    popq %r9
    popq %r8
    leaq REGION(%r12), %rax
    movq %rax, CLASS_END(%r9)
    addq $REGION_LINKS, %r12
    ret

// rsi: bytes. edx: the protection. Changes r8, r9 and r10, too.
map:
    xorl %edi, %edi
    movl $MAP_PRIVATE_ANONYMOUS_NORESERVE, %r10d
    movq $-1, %r8
    xorl %r9d, %r9d
    system_call SYS_MMAP
    cmpq $-PAGE, %rax
    jae no_memory
    ret

// rax: the lo of a free stack of class edx. Returns in rcx where its link is.
find_link:
    leaq LONE_LINK(%rax), %rcx
    cmpl $LONE, %edx
    jae 1f
    movl %eax, %ecx
    andl $REGION - 1, %ecx
    shrl $PAGE_BITS - 3, %ecx
    pushq %rax
    andq $-REGION, %rax
    addq %rax, %rcx
    popq %rax
1:  ret

// Takes a free stack, one with its pages before one without. edx, rdi: a class, locked. Returns its lo, or 0. Changes
// rcx and r9.
take:
    leaq CLASS_RECENT(%rdi), %r9
    movq (%r9), %rax
    testq %rax, %rax
    jne 1f
    addq $CLASS_IDLE - CLASS_RECENT, %r9
    movq (%r9), %rax
    testq %rax, %rax
    jne 1f
    addq $CLASS_CLEAN - CLASS_IDLE, %r9
    movq (%r9), %rax
    testq %rax, %rax
    je 2f
1:  call find_link
    movq (%rcx), %rcx
    movq %rcx, (%r9)
2:  ret

// Notes a stack as freed. rax: its lo. edx, rdi: its class, locked. Changes rcx and r10.
give:
    call find_link
    movq CLASS_RECENT(%rdi), %r10
    movq %r10, (%rcx)
    testq %r10, %r10
    jne 1f
    movq %rax, CLASS_RECENT_LAST(%rdi)
1:  movq %rax, CLASS_RECENT(%rdi)
    ret

// Finds a shard that no one uses, first the thread's own. r8: the data, r14: the goroutine. Returns r11, or 0 where all
// are in use. Changes rax, rcx, r9 and r10.
lock_shard:
    movabsq $GOLDEN_RATIO, %r9
    imulq G_M(%r14), %r9
    shrq $58, %r9
    movl $SHARDS, %r10d
1:  imull $SHARD_BYTES, %r9d, %r11d
    leaq SHARD_ARRAY(%r8,%r11), %r11
    movl $1, %eax
    xchgl %eax, SHARD_LOCK(%r11)
    testl %eax, %eax
    je 2f
    incl %r9d
    andl $SHARDS - 1, %r9d
    decl %r10d
    jne 1b
    xorl %r11d, %r11d
2:  ret

// edx: the number of a class. r8: the data. Returns it in rdi. Changes rax and rcx.
lock_class:
    movl %edx, %edi
    shll $6, %edi
    leaq CLASS_ARRAY(%r8,%rdi), %rdi
1:  movl $1, %eax
    xchgl %eax, CLASS_LOCK(%rdi)
    testl %eax, %eax
    jne 2f
    ret
2:  movl $100, %ecx
3:  pause
    cmpl $0, CLASS_LOCK(%rdi)
    je 1b
    decl %ecx
    jne 3b
    // The thread that holds it may not be running.
    pushq %r11
    system_call SYS_SCHED_YIELD
    popq %r11
    jmp 1b

// stackfree. rax, rbx: lo and hi of a stack.
release:
    movq %rax, %r12
    movq %rbx, %rsi
    subq %rax, %rsi
    bsrq %rsi, %rdx
    subl $PAGE_BITS, %edx
    data %r8
    cmpl $SHARD_CLASSES, %edx
    jae 3f
    call lock_shard
    testq %r11, %r11
    je 4f
    leaq first_stacks(%rip), %rbx
    movzbl (%rbx,%rdx), %ebx
    movl $16, %esi
    movl %edx, %ecx
    shrl %cl, %esi // how many it may keep
    movl SHARD_COUNTS(%r11,%rdx,4), %r13d
    cmpl %esi, %r13d
    jb 2f
    // Half of them go to all threads.
    shrl %esi
    call lock_class
1:  decl %r13d
    leal (%rbx,%r13), %ecx
    movq SHARD_STACKS(%r11,%rcx,8), %rax
    call give
    cmpl %esi, %r13d
    ja 1b
    movl $0, CLASS_LOCK(%rdi)
2:  leal (%rbx,%r13), %ecx
    movq %r12, SHARD_STACKS(%r11,%rcx,8)
    incl %r13d
    movl %r13d, SHARD_COUNTS(%r11,%rdx,4)
    movl $0, SHARD_LOCK(%r11)
    ret
3:  cmpl $GIVEN_BACK, %edx
    jae 5f
4:  call lock_class
    movq %r12, %rax
    call give
    movl $0, CLASS_LOCK(%rdi)
    ret
5:  leaq -2 * PAGE(%r12), %rdi
    addq $2 * PAGE, %rsi
    system_call SYS_MUNMAP
    testq %rax, %rax
    // Where the kernel has no room to note what is left of a mapping, the stack is kept.
    jne 4b
    lock incq DROPPED(%r8)
    ret

// freeStackSpans, at the end of a collection. Its caller is the only one. rsp: bytes and calls that are left, two lists
// with their last, what was not looked at, the next stack, and how many classes are left.
#define BYTES_LEFT 0
#define CALLS_LEFT 8
#define GIVEN 16
#define GIVEN_LAST 24
#define LEFT 32
#define LEFT_LAST 40
#define REST 48
#define FOLLOWING 56
#define CLASSES_LEFT 64
trim:
    data %r8
    // What threads keep was freed, too. One that is at it keeps what it has.
    xorl %r13d, %r13d
1:  imull $SHARD_BYTES, %r13d, %r11d
    leaq SHARD_ARRAY(%r8,%r11), %r11
    movl $1, %eax
    xchgl %eax, SHARD_LOCK(%r11)
    testl %eax, %eax
    jne 5f
    xorl %edx, %edx
2:  movl SHARD_COUNTS(%r11,%rdx,4), %ebx
    testl %ebx, %ebx
    je 4f
    leaq first_stacks(%rip), %r12
    movzbl (%r12,%rdx), %r12d
    call lock_class
3:  decl %ebx
    leal (%r12,%rbx), %ecx
    movq SHARD_STACKS(%r11,%rcx,8), %rax
    call give
    testl %ebx, %ebx
    jne 3b
    movl $0, SHARD_COUNTS(%r11,%rdx,4)
    movl $0, CLASS_LOCK(%rdi)
4:  incl %edx
    cmpl $SHARD_CLASSES, %edx
    jb 2b
    movl $0, SHARD_LOCK(%r11)
5:  incl %r13d
    cmpl $SHARDS, %r13d
    jb 1b
    // Each time another class comes first, so that none takes all that a collection may give back.
    subq $72, %rsp
    movq $TRIM_BYTES, BYTES_LEFT(%rsp)
    movq $TRIM_CALLS, CALLS_LEFT(%rsp)
    movq $CLASSES, CLASSES_LEFT(%rsp)
    movl TRIM_FIRST(%r8), %r12d
    call next_class
    movl %r12d, TRIM_FIRST(%r8)
1:  call trim_class
    call next_class
    decq CLASSES_LEFT(%rsp)
    jne 1b
    addq $72, %rsp
    ret

next_class:
    incl %r12d
    cmpl $CLASSES, %r12d
    jb 1f
    xorl %r12d, %r12d
1:  ret

// r8: the data. r12d: a class. What is idle leaves the class first, so that no one takes it. Keeps r8 and r12.
#define OWN 8 // the address to return to
trim_class:
    xorl %eax, %eax
    movq %rax, OWN + GIVEN(%rsp)
    movq %rax, OWN + LEFT(%rsp)
    movl $PAGE, %r10d
    movl %r12d, %ecx
    shlq %cl, %r10 // the size
    movl %r12d, %edx
    call lock_class
    movq %rdi, %r9
    movq CLASS_IDLE(%r9), %rbx
    movq $0, CLASS_IDLE(%r9)
    movl $0, CLASS_LOCK(%r9)
    // Those that may be given back are marked: so much as is left, from the oldest on.
    movq %rbx, %rax
1:  testq %rax, %rax
    je 2f
    cmpq $0, OWN + BYTES_LEFT(%rsp)
    jle 2f
    cmpq $0, OWN + CALLS_LEFT(%rsp)
    jle 2f
    subq %r10, OWN + BYTES_LEFT(%rsp)
    call find_link
    movq $1, -8(%rcx)
    movq (%rcx), %rax
    jmp 1b
2:  movq %rax, OWN + REST(%rsp)
    movq %rbx, %rax
3:  cmpq OWN + REST(%rsp), %rax
    je 9f
    call find_link
    movq (%rcx), %rbx
    movq %rbx, OWN + FOLLOWING(%rsp)
    leaq OWN + GIVEN(%rsp), %r11
    cmpq $0, -8(%rcx)
    je 8f // with a neighbour
    movq $0, -8(%rcx)
    cmpq $0, OWN + CALLS_LEFT(%rsp)
    jg 4f
    leaq OWN + LEFT(%rsp), %r11
    jmp 8f
4:  decq OWN + CALLS_LEFT(%rsp)
    call put
    movq %rax, %rdi
    movq %r10, %rsi
    movl $1, %r11d
    cmpl $LONE, %r12d
    jae 7f
    leaq PAGE(%r10), %r13 // from one stack to the next
    movq %r13, %rdx
    shrq $PAGE_BITS - 3, %rdx // from one link to the next
    movq %rcx, %rbx
    andq $-REGION_LINKS, %rbx
    addq $FIRST_LINK, %rbx
    movq %rcx, %rax
5:  subq %rdx, %rax
    cmpq %rbx, %rax
    jb 6f
    cmpq $0, -8(%rax)
    je 6f
    movq $0, -8(%rax)
    subq %r13, %rdi
    addq %r13, %rsi
    incl %r11d
    jmp 5b
6:  orq $REGION_LINKS - 1, %rbx
    addq %rdx, %rcx
    cmpq %rbx, %rcx
    ja 7f
    cmpq $0, -8(%rcx)
    je 7f
    movq $0, -8(%rcx)
    addq %r13, %rsi
    incl %r11d
    jmp 6b
7:  movl %r11d, %ebx
    movl $MADV_DONTNEED, %edx
    // Where it fails, in locked memory, stacks keep their pages.
    system_call SYS_MADVISE
    movl %r12d, %edx
    movq OWN + FOLLOWING(%rsp), %rcx
    xchgq %rax, %rcx
    testq %rcx, %rcx
    jne 3b
    lock addq %rbx, DROPPED(%r8)
    jmp 3b
8:  call put
    movq OWN + FOLLOWING(%rsp), %rax
    jmp 3b
    // Back: what has no pages; and as idle what is left, what was not looked at, and what has become so.
9:  movl %r12d, %edx
    call lock_class
    movq OWN + GIVEN(%rsp), %rbx
    testq %rbx, %rbx
    je 1f
    movq OWN + GIVEN_LAST(%rsp), %rax
    call find_link
    movq CLASS_CLEAN(%r9), %rax
    movq %rax, (%rcx)
    movq %rbx, CLASS_CLEAN(%r9)
1:  movq OWN + REST(%rsp), %rbx
    cmpq $0, OWN + LEFT(%rsp)
    je 3f
    movq OWN + LEFT_LAST(%rsp), %rax
    call find_link
    movq %rbx, (%rcx)
    testq %rbx, %rbx
    jne 2f
    movq %rax, CLASS_IDLE_LAST(%r9)
2:  movq OWN + LEFT(%rsp), %rbx
3:  movq CLASS_RECENT(%r9), %r13
    testq %r13, %r13
    je 5f
    movq $0, CLASS_RECENT(%r9)
    movq CLASS_IDLE_LAST(%r9), %rax
    movq CLASS_RECENT_LAST(%r9), %rcx
    movq %rcx, CLASS_IDLE_LAST(%r9)
    testq %rbx, %rbx
    cmoveq %r13, %rbx
    je 5f
    call find_link
    movq %r13, (%rcx)
5:  movq %rbx, CLASS_IDLE(%r9)
    movl $0, CLASS_LOCK(%r9)
    ret

// Puts a stack on one of trim's lists. rax: its lo. rcx: its link. r11: the list. Changes rbx.
put:
    movq (%r11), %rbx
    movq %rbx, (%rcx)
    testq %rbx, %rbx
    jne 1f
    movq %rax, GIVEN_LAST - GIVEN(%r11)
1:  movq %rax, (%r11)
    ret

// sigtramp's call of sigtrampgo. eax: number, rbx: siginfo, rcx: ucontext. On the signal stack.
on_signal:
    cmpl $SIGSEGV, %eax
    je 1f
    cmpl $SIGURG, %eax
    jne on_signal_end
    // While Go's record of a thread says that a signal is under way, no other is sent. Go does not note the arrival of
    // one that finds a thread of C outside of Go.
    movq tls_offset(%rip), %rdx
    movq %fs:(%rdx), %rdx
    call note_signal
    jmp on_signal_end
1:
    // One that another process sent has no address.
    cmpl $0, SI_CODE(%rbx)
    jle on_signal_end
    movq tls_offset(%rip), %rdx
    movq %fs:(%rdx), %rdx
    testq %rdx, %rdx
    je on_signal_end
    movq (%rdx), %r8
    subq SI_ADDR(%rbx), %r8
    decq %r8
    cmpq $PAGE, %r8
    jae on_signal_end
    leaq fl_go_growth_begin(%rip), %r11
    movq %r11, %r10
    addq text_offset(%rip), %r10
    addq probes_offset(%rip), %r11
    movq UC_RIP(%rcx), %r9
    subq %r10, %r9
    movq %r9, %rsi
    shrq $32, %rsi
    jne 4f
    movq probe_count(%rip), %rdi
1:  cmpq %rdi, %rsi
    jae 4f
    leaq (%rsi,%rdi), %r8
    shrq %r8
    cmpl %r9d, (%r11,%r8,8)
    je 3f
    jb 2f
    movq %r8, %rdi
    jmp 1b
2:  leaq 1(%r8), %rsi
    jmp 1b
3:  movl 4(%r11,%r8,8), %r9d
    addq %r10, %r9
    data %r8
    lock incq PROBE_FAULTS(%r8)
    // Where a goroutine is asked to stop and may not, newstack drops the request and begins the function again. A check
    // fails again at once; a probe faults microseconds later, when suspendG has repeated the request, and so on. The
    // second time the request is dropped on the way to newstack, as copystack drops one. It is repeated until the
    // goroutine stops.
    last_fault %rdx, %r8, %r11
    movq UC_RSP(%rcx), %r10
    cmpq (%r11), %r10
    movq %r10, (%r11)
    jne 5f
    movq %r9, UC_R13(%rcx)
    leaq without_request(%rip), %r9
5:  movq %r9, UC_RIP(%rcx)
    ret
    // No probe. On a thread's own stack, where C runs as well, Go guesses where the low end is.
4:  movq G_M(%rdx), %r8
    testq %r8, %r8
    je on_signal_end
    cmpq M_G0(%r8), %rdx
    je on_signal_end
    leaq misplaced(%rip), %rsi
    movl $misplaced_end - misplaced, %edx
    jmp end
on_signal_end:
    .skip 16, 0xcc

// On the goroutine's stack, at the entry of a function. r13: the tail of its check. Changes r12.
without_request:
    movq (%r14), %r12
    addq $STACK_GUARD, %r12
    movq %r12, G_STACKGUARD0(%r14)
    jmp *%r13

// exit of the runtime, by the convention that passes arguments on the stack.
on_exit:
    data %r8
    movq WANTED(%r8), %r11
    testq %r11, %r11
    je 5f
    movl $1, %eax
    xchgl %eax, ENDING(%r8)
    testl %eax, %eax
    jne 7f
    leaq TEXT(%r8), %rdi
    leaq labels(%rip), %rsi
    leaq PROBE_FAULTS(%r8), %r9
    movl $10, %ebx
1:  lodsb
    testb %al, %al
    je 2f
    stosb
    jmp 1b
2:  movq (%r9), %rax
    addq $8, %r9
    xorl %ecx, %ecx
3:  xorl %edx, %edx
    divq %rbx
    addl $'0', %edx
    pushq %rdx
    incl %ecx
    testq %rax, %rax
    jne 3b
4:  popq %rax
    stosb
    decl %ecx
    jne 4b
    cmpb $0, (%rsi)
    jne 1b
    movb $'\n', %al
    stosb
    leaq TEXT(%r8), %r9
    movq %rdi, %r10
    subq %r9, %r10
    movl $2, %edi
    cmpq $1, %r11
    je 6f
    movq %r11, %rdi
    movl $O_WRONLY_CREAT_APPEND_NOFOLLOW_CLOEXEC, %esi
    movl $0644, %edx
    system_call SYS_OPEN
    testl %eax, %eax
    js 5f
    movl %eax, %edi
6:  movq %r9, %rsi
    movq %r10, %rdx
    system_call SYS_WRITE
5:  movl 8(%rsp), %edi
    system_call SYS_EXIT_GROUP
    ud2
    // Another thread is at it, or this one in a signal that came meanwhile: a second for it to end.
7:  movl $1000, %ebx
8:  xorl %edi, %edi
    xorl %esi, %esi
    movl $1, %edx
    system_call SYS_POLL
    decl %ebx
    jne 8b
    jmp 5b

no_gs:
    leaq gs_failure(%rip), %rsi
    movl $gs_failure_end - gs_failure, %edx
    jmp end
no_preemption:
    leaq preemption_failure(%rip), %rsi
    movl $preemption_failure_end - preemption_failure, %edx
    jmp end
no_memory:
    leaq memory_failure(%rip), %rsi
    movl $memory_failure_end - memory_failure, %edx
    jmp end
// A stack without its guard is never used.
no_guard:
    cmpq $-ENOMEM, %rax
    je 1f
    leaq protection_failure(%rip), %rsi
    movl $protection_failure_end - protection_failure, %edx
    jmp end
1:  leaq guard_failure(%rip), %rsi
    movl $guard_failure_end - guard_failure, %edx
end:
    data %r8
    movl $1, %eax
    xchgl %eax, FAILED(%r8)
    testl %eax, %eax
    jne 1f
    movl $2, %edi
    system_call SYS_WRITE
    jmp 3f
    // Another thread is saying it: a second for it to end.
1:  movl $1000, %ebx
2:  xorl %edi, %edi
    xorl %esi, %esi
    movl $1, %edx
    system_call SYS_POLL
    decl %ebx
    jne 2b
3:  movl $2, %edi
    system_call SYS_EXIT_GROUP
    ud2

// Where the stacks of each class begin in a shard.
first_stacks:
    .byte 0, 16, 24, 28
variable:
    .ascii "FAULTLINE_STATISTICS="
variable_end:
labels:
    .asciz "faultline: probe-faults "
    .asciz " growths "
    .asciz " shrinks "
    .asciz " stacks "
    .asciz " dropped "
    .byte 0
gs_failure:
    .ascii "fatal error: probes need the instruction wrgsbase (Linux 5.9 and later); "
    .ascii "strip the program with --growth none\n"
gs_failure_end:
preemption_failure:
    .ascii "fatal error: nothing but signals preempts a program with probes; "
    .ascii "it cannot run with GODEBUG=asyncpreemptoff=1, "
    .ascii "nor with gccheckmark=1, which implies it from Go 1.25 on\n"
preemption_failure_end:
memory_failure:
    .ascii "fatal error: no memory for a goroutine's stack\n"
memory_failure_end:
guard_failure:
    .ascii "fatal error: a goroutine's stack cannot be guarded; with Linux before 6.13 raise vm.max_map_count\n"
guard_failure_end:
protection_failure:
    .ascii "fatal error: a goroutine's stack cannot be guarded: the system allows neither way to do it\n"
protection_failure_end:
misplaced:
    .ascii "fatal error: an access below the low end of a goroutine's stack was made by no probe\n"
misplaced_end:
    .balign 16
fl_go_growth_end:
    .size fl_go_growth_begin, fl_go_growth_end - fl_go_growth_begin

    .balign 8
    .globl fl_go_growth_layout
    .hidden fl_go_growth_layout
    .type fl_go_growth_layout, @object
fl_go_growth_layout:
    .long fl_go_growth_end - fl_go_growth_begin
    .long parameters - fl_go_growth_begin
    .long DATA_BYTES
    .long -GS_BASE
    .long on_start - fl_go_growth_begin
    .long on_start_end - fl_go_growth_begin
    .long on_thread - fl_go_growth_begin
    .long on_thread_end - fl_go_growth_begin
    .long on_growth - fl_go_growth_begin
    .long on_growth_end - fl_go_growth_begin
    .long on_shrink - fl_go_growth_begin
    .long on_shrink_end - fl_go_growth_begin
    .long allocate - fl_go_growth_begin
    .long release - fl_go_growth_begin
    .long trim - fl_go_growth_begin
    .long on_signal - fl_go_growth_begin
    .long on_signal_end - fl_go_growth_begin
    .long on_exit - fl_go_growth_begin
    .size fl_go_growth_layout, 72
#else
    .section .rodata
    .globl fl_go_growth_begin
    .hidden fl_go_growth_begin
fl_go_growth_begin:
    .byte 0
    .balign 8
    .globl fl_go_growth_layout
    .hidden fl_go_growth_layout
fl_go_growth_layout:
    .zero 72
#endif

    .section .note.GNU-stack, "", %progbits
