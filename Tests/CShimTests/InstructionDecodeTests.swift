// The operand decoder against encodings whose effective address is written out by hand.
#if arch(x86_64)
    import CShim
    import Measurement
    import Testing

    /// Register values above 4 GiB, each distinct, so that a wrong base, index or width shows in the address.
    private let rax: UInt = 0x1_0000_0010
    private let rcx: UInt = 0x2_0000_0100
    private let rdx: UInt = 0x3_0000_1000
    private let rbx: UInt = 0x4_0001_0000
    private let rsp: UInt = 0x5_0010_0000
    private let rbp: UInt = 0x6_0020_0000
    private let rsi: UInt = 0x7_0040_0000
    private let rdi: UInt = 0x8_0080_0000
    private let r8: UInt = 0x9_0000_0008
    private let r12: UInt = 0xD_0000_0080
    private let r13: UInt = 0xE_0000_0800
    private let r15: UInt = 0xF0_0000_8000
    private let rip: UInt = 0x5555_0000_1000

    private func makeRegisters() -> fl_general_registers {
        var registers = fl_general_registers()
        registers.rip = rip
        registers.value = (
            rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, 0xA_0000_0010, 0xB_0000_0020, 0xC_0000_0040, r12, r13,
            0xF_0000_4000, r15
        )
        return registers
    }

    /// The bytes of a string such as "48 8b 04".
    private func bytes(_ text: String) -> [UInt8] {
        text.split(separator: " ").map { UInt8($0, radix: 16)! }
    }

    private func decode(_ code: [UInt8], _ registers: fl_general_registers = makeRegisters()) -> fl_access {
        withUnsafePointer(to: registers) { registers in
            code.withUnsafeBufferPointer { fl_instruction_decode($0.baseAddress!, $0.count, registers) }
        }
    }

    private func describe(_ access: fl_access) -> String {
        "\(access.kind.rawValue) length \(access.length) address \(String(access.address, radix: 16))"
            + " segment \(access.uses_thread_segment) stack \(access.second_is_stack)"
    }

    /// One encoding and what it accesses.
    struct Encoding: Sendable, CustomTestStringConvertible {
        let text: String
        let code: String
        let kind: fl_access_kind
        let address: UInt
        let usesSegment: Bool
        let usesStack: Bool

        init(
            _ text: String, _ code: String, _ kind: fl_access_kind, _ address: UInt = 0, segment: Bool = false,
            stack: Bool = false
        ) {
            (self.text, self.code, self.kind, self.address) = (text, code, kind, address)
            (usesSegment, usesStack) = (segment, stack)
        }

        var testDescription: String { text }
    }

    private let addressingForms: [Encoding] = [
        Encoding("mov (%rax),%rcx", "48 8b 08", .FL_ACCESS_MEMORY, rax),
        Encoding("mov -8(%rbp),%eax", "8b 45 f8", .FL_ACCESS_MEMORY, rbp - 8),
        Encoding("mov %rax,0x12345678(%rbx)", "48 89 83 78 56 34 12", .FL_ACCESS_MEMORY, rbx + 0x1234_5678),
        Encoding("mov -0x80000000(%rdi),%al", "8a 87 00 00 00 80", .FL_ACCESS_MEMORY, rdi &- 0x8000_0000),
        Encoding("mov 8(%rsp),%rax", "48 8b 44 24 08", .FL_ACCESS_MEMORY, rsp + 8),
        Encoding("mov (%r12),%rax", "49 8b 04 24", .FL_ACCESS_MEMORY, r12),
        Encoding("mov 0(%r13),%rax", "49 8b 45 00", .FL_ACCESS_MEMORY, r13),
        Encoding("mov (%rdx,%rcx,8),%rax", "48 8b 04 ca", .FL_ACCESS_MEMORY, rdx + rcx * 8),
        Encoding("mov (%rdx,%r12,1),%rax", "4a 8b 04 22", .FL_ACCESS_MEMORY, rdx + r12),
        Encoding("mov 4(%r15,%r8,2),%eax", "43 8b 44 47 04", .FL_ACCESS_MEMORY, r15 + r8 * 2 + 4),
        Encoding("mov 0x10(,%rsi,4),%eax", "8b 04 b5 10 00 00 00", .FL_ACCESS_MEMORY, rsi * 4 + 0x10),
        Encoding("mov 0x601000,%eax", "8b 04 25 00 10 60 00", .FL_ACCESS_MEMORY, 0x60_1000),
        Encoding("mov -4,%eax", "8b 04 25 fc ff ff ff", .FL_ACCESS_MEMORY, UInt.max - 3),
        Encoding("mov 0x100(%rip),%rax", "48 8b 05 00 01 00 00", .FL_ACCESS_MEMORY, rip + 7 + 0x100),
        Encoding("movl $1,-0x10(%rip)", "c7 05 f0 ff ff ff 01 00 00 00", .FL_ACCESS_MEMORY, rip + 10 - 0x10),
        Encoding("mov (%r13d),%eax", "67 41 8b 45 00", .FL_ACCESS_MEMORY, 0x800),
        Encoding("mov (%eax,%ecx,4),%eax", "67 8b 04 88", .FL_ACCESS_MEMORY, 0x10 + 0x400),
        Encoding("mov %fs:0x28,%rax", "64 48 8b 04 25 28 00 00 00", .FL_ACCESS_MEMORY, 0x28, segment: true),
        Encoding("mov %gs:(%rdi),%rax", "65 48 8b 07", .FL_ACCESS_MEMORY, rdi, segment: true),
        Encoding("cs mov (%rdi),%rax", "2e 48 8b 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("REX before a prefix is void", "49 66 8b 00", .FL_ACCESS_MEMORY, rax),
        Encoding(
            "movabs 0x1122334455667788,%al", "a0 88 77 66 55 44 33 22 11", .FL_ACCESS_MEMORY, 0x1122_3344_5566_7788),
        Encoding("addr32 mov 0x80000000,%eax", "67 a1 00 00 00 80", .FL_ACCESS_MEMORY, 0x8000_0000),
    ]

    private let oneByteMap: [Encoding] = [
        Encoding("add %eax,(%rdi)", "01 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("cmpb $0,8(%rdi)", "80 7f 08 00", .FL_ACCESS_MEMORY, rdi + 8),
        Encoding("cmpw $0x100,(%rdi)", "66 81 3f 00 01", .FL_ACCESS_MEMORY, rdi),
        Encoding("imul $0x100,(%rdi),%eax", "69 07 00 01 00 00", .FL_ACCESS_MEMORY, rdi),
        Encoding("movslq (%rdi),%rax", "48 63 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("testb $1,(%rdi)", "f6 07 01", .FL_ACCESS_MEMORY, rdi),
        Encoding("testl $1,(%rdi)", "f7 07 01 00 00 00", .FL_ACCESS_MEMORY, rdi),
        Encoding("negl (%rdi)", "f7 1f", .FL_ACCESS_MEMORY, rdi),
        Encoding("shlq $3,(%rdi)", "48 c1 27 03", .FL_ACCESS_MEMORY, rdi),
        Encoding("lock incl (%rdi)", "f0 ff 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("xchg %eax,(%rdi)", "87 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("fldt (%rsp)", "db 2c 24", .FL_ACCESS_MEMORY, rsp),
        Encoding("fld1", "d9 e8", .FL_ACCESS_NONE),
        Encoding("xlat", "d7", .FL_ACCESS_MEMORY, rbx + 0x10),
        Encoding("lea 8(%rax),%rcx", "48 8d 48 08", .FL_ACCESS_NONE),
        Encoding("mov %rax,%rcx", "48 89 c1", .FL_ACCESS_NONE),
        Encoding("movabs $…,%rax", "48 b8 00 01 02 03 04 05 06 07", .FL_ACCESS_NONE),
        Encoding("mov $…,%ax", "66 b8 00 01", .FL_ACCESS_NONE),
        Encoding("jmp rel8", "eb fe", .FL_ACCESS_NONE),
        Encoding("jmp rel32", "e9 00 00 00 00", .FL_ACCESS_NONE),
        Encoding("hlt", "f4", .FL_ACCESS_NONE),
        Encoding("stos %al", "aa", .FL_ACCESS_MEMORY, rdi),
        Encoding("rep stos %rax", "f3 48 ab", .FL_ACCESS_MEMORY, rdi),
        Encoding("rep movsb", "f3 a4", .FL_ACCESS_MEMORY, rdi),
        Encoding("repnz scasb", "f2 ae", .FL_ACCESS_MEMORY, rdi),
        Encoding("lodsq", "48 ad", .FL_ACCESS_MEMORY, rsi),
        Encoding("lodsb %fs:(%esi)", "64 67 ac", .FL_ACCESS_MEMORY, 0x40_0000, segment: true),
    ]

    private let stackInstructions: [Encoding] = [
        Encoding("push %rbp", "55", .FL_ACCESS_PUSH, rsp - 8),
        Encoding("push %r15", "41 57", .FL_ACCESS_PUSH, rsp - 8),
        Encoding("push %ax", "66 50", .FL_ACCESS_PUSH, rsp - 2),
        Encoding("push $1", "6a 01", .FL_ACCESS_PUSH, rsp - 8),
        Encoding("push $0x100", "68 00 01 00 00", .FL_ACCESS_PUSH, rsp - 8),
        Encoding("pushf", "9c", .FL_ACCESS_PUSH, rsp - 8),
        Encoding("push %fs", "0f a0", .FL_ACCESS_PUSH, rsp - 8),
        Encoding("call rel32", "e8 00 00 00 00", .FL_ACCESS_PUSH, rsp - 8),
        Encoding("data16 data16 rex.W call rel32", "66 66 48 e8 00 00 00 00", .FL_ACCESS_PUSH, rsp - 8),
        Encoding("call *%rax", "ff d0", .FL_ACCESS_PUSH, rsp - 8),
        Encoding("call *0x10(%rax)", "ff 50 10", .FL_ACCESS_MEMORY, rax + 0x10, stack: true),
        Encoding("call *0x10(%rip)", "ff 15 10 00 00 00", .FL_ACCESS_MEMORY, rip + 6 + 0x10, stack: true),
        Encoding("push 8(%rsp)", "ff 74 24 08", .FL_ACCESS_MEMORY, rsp + 8, stack: true),
        Encoding("jmp *(%rax)", "ff 20", .FL_ACCESS_MEMORY, rax),
        Encoding("jmp *%rax", "ff e0", .FL_ACCESS_NONE),
        Encoding("enter $0x10,$0", "c8 10 00 00", .FL_ACCESS_PUSH, rsp - 8),
        Encoding("pop %rbp", "5d", .FL_ACCESS_POP, rsp),
        Encoding("pop (%rax)", "8f 00", .FL_ACCESS_MEMORY, rax, stack: true),
        Encoding("pop 8(%rsp), whose base is raised first", "8f 44 24 08", .FL_ACCESS_MEMORY, rsp + 16, stack: true),
        Encoding("ret", "c3", .FL_ACCESS_POP, rsp),
        Encoding("ret $8", "c2 08 00", .FL_ACCESS_POP, rsp),
        Encoding("leave", "c9", .FL_ACCESS_POP, rbp),
    ]

    private let twoByteMap: [Encoding] = [
        Encoding("movups (%rdi),%xmm0", "0f 10 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("movaps %xmm15,0x20(%rsp)", "44 0f 29 7c 24 20", .FL_ACCESS_MEMORY, rsp + 0x20),
        Encoding("movdqa (%rdi),%xmm8", "66 44 0f 6f 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("movq %xmm0,(%rdi)", "66 0f d6 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("cvtsi2sdq (%rdi),%xmm0", "f2 48 0f 2a 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("cmovne (%rdi),%rax", "48 0f 45 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("sete (%rdi)", "0f 94 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("movzbl (%rdi),%eax", "0f b6 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("lock xadd %rax,(%rdi)", "f0 48 0f c1 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("lock cmpxchg %rcx,(%rdi)", "f0 48 0f b1 0f", .FL_ACCESS_MEMORY, rdi),
        Encoding("lock cmpxchg16b (%rdi)", "f0 48 0f c7 0f", .FL_ACCESS_MEMORY, rdi),
        Encoding("fxsave (%rdi)", "0f ae 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("ldmxcsr -4(%rsp)", "0f ae 54 24 fc", .FL_ACCESS_MEMORY, rsp - 4),
        Encoding("mfence", "0f ae f0", .FL_ACCESS_NONE),
        Encoding("pshufd $1,(%rdi),%xmm0", "66 0f 70 07 01", .FL_ACCESS_MEMORY, rdi),
        Encoding("btl $3,(%rdi)", "0f ba 27 03", .FL_ACCESS_MEMORY, rdi),
        Encoding("bt %rax,(%rdi)", "48 0f a3 07", .FL_ACCESS_MEMORY, rdi + (rax >> 6) * 8),
        Encoding("bts %eax,(%rdi)", "0f ab 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("nopw 0(%rax,%rax)", "66 0f 1f 44 00 00", .FL_ACCESS_NONE),
        Encoding("prefetcht0 (%rdi)", "0f 18 0f", .FL_ACCESS_NONE),
        Encoding("endbr64", "f3 0f 1e fa", .FL_ACCESS_NONE),
        Encoding("syscall", "0f 05", .FL_ACCESS_NONE),
        Encoding("ud2", "0f 0b", .FL_ACCESS_NONE),
        Encoding("jne rel32", "0f 85 00 00 00 00", .FL_ACCESS_NONE),
        Encoding("popcnt (%rdi),%rax", "f3 48 0f b8 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("maskmovdqu %xmm1,%xmm0", "66 0f f7 c1", .FL_ACCESS_MEMORY, rdi),
        Encoding("pshufb (%rdi),%xmm0", "66 0f 38 00 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("crc32q (%rdi),%rax", "f2 48 0f 38 f1 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("pcmpistri $0xc,0x10(%rip),%xmm0", "66 0f 3a 63 05 10 00 00 00 0c", .FL_ACCESS_MEMORY, rip + 26),
    ]

    private let vectorEncodings: [Encoding] = [
        Encoding("vmovups (%rdi),%ymm0", "c5 fc 10 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("vmovdqu 0x20(%r13),%ymm0", "c4 c1 7e 6f 45 20", .FL_ACCESS_MEMORY, r13 + 0x20),
        Encoding("vmovdqu (%rdx,%r12,4),%ymm9", "c4 21 7e 6f 0c a2", .FL_ACCESS_MEMORY, rdx + r12 * 4),
        Encoding("vpshufd $1,0x10(%rip),%xmm0", "c5 f9 70 05 10 00 00 00 01", .FL_ACCESS_MEMORY, rip + 9 + 0x10),
        Encoding("vpbroadcastb (%rdi),%ymm0", "c4 e2 7d 78 07", .FL_ACCESS_MEMORY, rdi),
        Encoding("vinserti128 $1,(%rdi),%ymm0,%ymm0", "c4 e3 7d 38 07 01", .FL_ACCESS_MEMORY, rdi),
        Encoding("vzeroupper", "c5 f8 77", .FL_ACCESS_NONE),
        Encoding("andn (%rdi),%eax,%ecx", "c4 e2 78 f2 0f", .FL_ACCESS_MEMORY, rdi),
        Encoding("vmovdqu64 0x40(%rdi),%zmm0", "62 f1 fe 48 6f 47 01", .FL_ACCESS_MEMORY, rdi + 0x40),
        Encoding("vmovdqu64 -0x40(%rdi),%ymm16", "62 e1 fe 28 6f 47 fe", .FL_ACCESS_MEMORY, rdi - 0x40),
        Encoding("vmovups %xmm16,0x30(%rsp)", "62 e1 7c 08 11 44 24 03", .FL_ACCESS_MEMORY, rsp + 0x30),
        Encoding("vmovaps 0x100(%rdi),%zmm1", "62 f1 7c 48 28 8f 00 01 00 00", .FL_ACCESS_MEMORY, rdi + 0x100),
        Encoding("vpcmpeqb 0x20(%rdi),%ymm16,%k0", "62 f1 7d 20 74 47 01", .FL_ACCESS_MEMORY, rdi + 0x20),
        Encoding("vaddps 4(%rdi){1to16},%zmm0,%zmm0", "62 f1 7c 58 58 47 01", .FL_ACCESS_MEMORY, rdi + 4),
        Encoding("vaddsd 8(%rdi),%xmm16,%xmm16", "62 e1 ff 00 58 47 01", .FL_ACCESS_MEMORY, rdi + 8),
        Encoding("vmovq 8(%rdi),%xmm16", "62 e1 fe 08 7e 47 01", .FL_ACCESS_MEMORY, rdi + 8),
        Encoding("vpmovzxbw 0x10(%rdi),%ymm16", "62 e2 7d 28 30 47 01", .FL_ACCESS_MEMORY, rdi + 0x10),
        Encoding("vpternlogq $1,0x20(%rdi),%ymm16,%ymm16", "62 e3 fd 20 25 47 01 01", .FL_ACCESS_MEMORY, rdi + 0x20),
    ]

    /// What must not be guessed.
    private let undecoded: [Encoding] = [
        Encoding("vpgatherdd (%rdi,%ymm1,4)", "c4 e2 65 90 04 8f", .FL_ACCESS_UNKNOWN),
        Encoding("vpscatterdd %zmm0,(%rdi,%zmm1,4)", "62 f2 7d 49 a0 04 8f", .FL_ACCESS_UNKNOWN),
        Encoding("tileloadd (%rdi,%rcx),%tmm0", "c4 e2 7b 4b 04 0f", .FL_ACCESS_UNKNOWN),
        Encoding("movdir64b (%rdi),%rax", "66 0f 38 f8 07", .FL_ACCESS_UNKNOWN),
        Encoding("REX2 (APX)", "d5 08 8b 07", .FL_ACCESS_UNKNOWN),
        Encoding("EVEX with APX's base bit", "62 f9 fe 48 6f 47 01", .FL_ACCESS_UNKNOWN),
        Encoding("EVEX broadcast of a full vector", "62 f1 fe 58 6f 47 01", .FL_ACCESS_UNKNOWN),
        Encoding("EVEX with the wrong W for a scalar", "62 e1 7f 00 58 47 01", .FL_ACCESS_UNKNOWN),
        Encoding("XOP", "8f e8 78 a2 07 00", .FL_ACCESS_UNKNOWN),
        Encoding("movsb %fs:(%rsi)", "64 a4", .FL_ACCESS_UNKNOWN),
        Encoding("data16 call, on which vendors differ", "66 e8 00 00 00 00", .FL_ACCESS_UNKNOWN),
        Encoding("data16 jne, likewise", "66 0f 85 00 00 00 00", .FL_ACCESS_UNKNOWN),
        Encoding("not in long mode", "06", .FL_ACCESS_UNKNOWN),
        Encoding("VEX after REX", "48 c5 fc 10 07", .FL_ACCESS_UNKNOWN),
        Encoding("monitor", "0f 01 c8", .FL_ACCESS_UNKNOWN),
        Encoding("16 bytes", "66 66 66 66 66 66 66 66 66 66 66 66 66 66 8b 07", .FL_ACCESS_UNKNOWN),
    ]

    private let decoded =
        addressingForms + oneByteMap + stackInstructions + twoByteMap + vectorEncodings

    @Suite struct InstructionDecodeTests {
        @Test("the decoder finds length and operand", arguments: decoded)
        func findsOperand(encoding: Encoding) {
            let code = bytes(encoding.code)
            // What follows the instruction must not matter.
            for filler: UInt8 in [0x00, 0x90, 0xFF] {
                let access = decode(code + Array(repeating: filler, count: 16))
                #expect(access.kind == encoding.kind, "\(describe(access))")
                #expect(access.length == UInt32(code.count), "\(describe(access))")
                #expect(access.address == encoding.address, "\(describe(access))")
                #expect((access.uses_thread_segment != 0) == encoding.usesSegment, "\(describe(access))")
                #expect((access.second_is_stack != 0) == encoding.usesStack, "\(describe(access))")
            }
        }

        @Test("the decoder does not guess", arguments: undecoded)
        func leavesUnknown(encoding: Encoding) {
            let access = decode(bytes(encoding.code))
            #expect(access.kind == .FL_ACCESS_UNKNOWN, "\(describe(access))")
            #expect(access.length == 0 && access.address == 0)
        }

        @Test("the decoder needs every byte of the instruction", arguments: decoded)
        func rejectsTruncatedCode(encoding: Encoding) {
            let code = bytes(encoding.code)
            #expect(decode(code).kind == encoding.kind)
            for count in 1..<code.count {
                let access = decode(Array(code[..<count]))
                #expect(access.kind == .FL_ACCESS_UNKNOWN, "\(count) bytes: \(describe(access))")
            }
        }

        @Test("the decoder uses at most 15 bytes")
        func limitsLength() {
            let padding = Array(repeating: UInt8(0x66), count: 13)
            #expect(decode(padding + bytes("8b 07")).length == 15)
            #expect(decode(padding + bytes("8b 47 08")).kind == .FL_ACCESS_UNKNOWN)
            #expect(decode(Array(repeating: 0x66, count: 64)).kind == .FL_ACCESS_UNKNOWN)
        }

        @Test("of two string operands the source counts only if it alone is non-canonical")
        func choosesStringOperand() {
            let wild: UInt = 0x8000_0000_0000
            for code in ["a4", "f3 48 a5", "a6", "f3 a7"] {
                var registers = makeRegisters()
                registers.value.6 = wild
                #expect(decode(bytes(code), registers).address == wild)
                registers.value.7 = wild + 0x1000
                #expect(decode(bytes(code), registers).address == wild + 0x1000)
                registers.value.6 = rsi
                #expect(decode(bytes(code), registers).address == wild + 0x1000)
            }
        }

        @Test("a bit number is signed and of the operand's width")
        func followsBitString() {
            var registers = makeRegisters()
            registers.value.0 = UInt(bitPattern: -1)
            #expect(decode(bytes("48 0f a3 07"), registers).address == rdi - 8)
            #expect(decode(bytes("0f a3 07"), registers).address == rdi - 4)
            #expect(decode(bytes("66 0f a3 07"), registers).address == rdi - 2)
            registers.value.0 = 0x1_8000_0000
            #expect(decode(bytes("0f a3 07"), registers).address == rdi - 0x1000_0000)
            #expect(decode(bytes("66 0f a3 07"), registers).address == rdi)
        }

        @Test("the result depends on the instruction's own bytes alone")
        func ignoresFollowingBytes() {
            var generator = SeededGenerator(seed: 0x1D_EC0D_E5EE_D001)
            var decodedCount = 0
            var code = [UInt8](repeating: 0, count: 24)
            for _ in 0..<200_000 {
                for index in code.indices { code[index] = UInt8(truncatingIfNeeded: generator.next()) }
                let access = decode(code)
                guard access.kind != .FL_ACCESS_UNKNOWN else {
                    if access.length != 0 { Issue.record("unknown, but with a length: \(code)") }
                    continue
                }
                decodedCount += 1
                let length = Int(access.length)
                guard (1...15).contains(length) else {
                    Issue.record("length \(length): \(code)")
                    continue
                }
                let alone = decode(Array(code[..<length]))
                if describe(alone) != describe(access) { Issue.record("depends on what follows: \(code)") }
                let isShort = length == 1 || decode(Array(code[..<(length - 1)])).kind == .FL_ACCESS_UNKNOWN
                if !isShort { Issue.record("did not need its last byte: \(code)") }
            }
            // Most random bytes are some instruction; a decoder that gave up would pass the above.
            #expect(decodedCount > 120_000)
        }
    }
#endif
