// The roots of a moved stack: what is an address of the former range changes, and nothing else does.
import CShimInternals
import Glibc
import Testing

private let low: UInt = 0x7000_0000_0000
private let base: UInt = low + 0x1_0000
private let delta: UInt = 0x5_0000_0000

/// Live from the stack pointer's red zone on, half way up.
private let reach: UInt = low + 0x8000

private var relocation: fl_relocation {
    fl_relocation(low: low, base: base, reach: reach, delta: delta, scanned: 0, relocated: 0)
}

@Suite struct RelocationTests {
    @Test(arguments: [
        (low - 1, false), (low, false), (reach - 1, false), (reach, true), (reach + 1, true), (base - 1, true),
        (base, true), (base + 1, false), (0, false), (UInt.max, false),
    ])
    func aWordInMemoryCountsFromTheRedZoneToOnePastTheEnd(value: UInt, isRoot: Bool) {
        var state = relocation
        var words = [value, 1]
        fl_relocate_words(&state, &words, 2)
        #expect(words == [isRoot ? value + delta : value, 1])
        #expect(state.scanned == 2 && state.relocated == (isRoot ? 1 : 0))
    }

    @Test(arguments: [
        (low - 1, false), (low, true), (reach - 1, true), (base, true), (base + 1, false),
    ])
    func aRegisterCountsFromTheSlotsEnd(value: UInt, isRoot: Bool) {
        var state = relocation
        #expect(fl_relocate(&state, value) == (isRoot ? value + delta : value))
    }

    @Test func noWordBesideTheGivenOnesIsTouched() {
        var state = relocation
        var words = [UInt](repeating: base - 8, count: 6)
        words.withUnsafeMutableBufferPointer { fl_relocate_words(&state, $0.baseAddress! + 1, 4) }
        #expect(words == [base - 8] + [UInt](repeating: base - 8 + delta, count: 4) + [base - 8])
        fl_relocate_words(&state, &words, 0)
        #expect(state.scanned == 4)
    }

    @Test func movesBackWithAWrappingDistance() {
        var state = relocation
        var words = [base - 8]
        fl_relocate_words(&state, &words, 1)
        var back = fl_relocation(
            low: low + delta, base: base + delta, reach: low + delta, delta: 0 &- delta, scanned: 0, relocated: 0)
        fl_relocate_words(&back, &words, 1)
        #expect(words == [base - 8])
    }

    /// Bytes of the XSAVE area behind the header, as the context says, and how many of them are words that are scanned.
    @Test(
        arguments: [
            (0x4650_5853, 832, 832), (0x4650_5853, 2_696, 2_696), (0x4650_5853, 16 << 10, 16 << 10),
            (0x4650_5853, (16 << 10) + 8, 0), (0x4650_5853, 576, 0), (0, 832, 0), (0x4650_5853, 0, 0),
        ] as [(UInt32, UInt32, Int)])
    func aContextGivesItsRegistersAndTheComponentsThatItNames(magic: UInt32, size: UInt32, scanned: Int) {
        let area = GuardedBytes(max(Int(size), 832) <= 16 << 10 ? max(Int(size), 832) : 16 << 10)
        let words = area.start.assumingMemoryBound(to: UInt.self)
        for index in 0..<area.count / 8 { words[index] = base - 16 }
        area.start.storeBytes(of: magic, toByteOffset: 464, as: UInt32.self)
        area.start.storeBytes(of: 0, toByteOffset: 468, as: UInt32.self)
        area.start.storeBytes(of: 0, toByteOffset: 472, as: UInt64.self)
        area.start.storeBytes(of: size, toByteOffset: 480, as: UInt32.self)

        var context = ucontext_t()
        context.uc_mcontext.fpregs = area.start.assumingMemoryBound(to: _libc_fpstate.self)
        withUnsafeMutableBytes(of: &context.uc_mcontext.gregs) {
            for index in 0..<$0.count / 8 { $0.storeBytes(of: low, toByteOffset: 8 * index, as: UInt.self) }
        }
        var state = relocation
        fl_relocate_context(&state, &context)
        withUnsafeBytes(of: &context.uc_mcontext.gregs) {
            for index in 0..<$0.count / 8 {
                let value = $0.load(fromByteOffset: 8 * index, as: UInt.self)
                #expect(value == (index < 16 ? low + delta : low), "the general registers and no other word")
            }
        }
        for index in 0..<area.count / 8 where !(464..<488).contains(8 * index) {
            let isRoot = (160..<416).contains(8 * index) || (576..<max(scanned, 576)).contains(8 * index)
            #expect(words[index] == (isRoot ? base - 16 + delta : base - 16), "byte \(8 * index)")
        }
    }

    @Test func aContextWithoutVectorRegistersIsLeftWithout() {
        var context = ucontext_t()
        var state = relocation
        fl_relocate_context(&state, &context)
        #expect(state.scanned == 16 && state.relocated == 0)
    }
}
