// Classification of faults: synthetic facts against verdicts, at the edges of each zone and in bulk.
import CShim
import Measurement
import TestNeeds
import Testing

// Linux's values, spelled out so that a wrong constant in the shim does not hide.
private let segv: Int32 = 11
private let bus: Int32 = 7
private let mapErr: Int32 = 1
private let accErr: Int32 = 2
private let kernel: Int32 = 128
private let userRead: UInt64 = 4
private let userWrite: UInt64 = 6
private let redZone: UInt = 128
private let userEnd: UInt = 1 << 47

/// A slot of 1 MiB: the guard and the reserve (256 KiB), room, and 64 KiB that are committed.
private enum Layout {
    static let slotLow: UInt = 0x7000_0010_0000
    static let roomLow: UInt = slotLow + 0x4_0000
    static let low: UInt = slotLow + 0xF_0000
    static let base: UInt = slotLow + 0x10_0000
    static let largestFrame: UInt = 0x2_0000
    static let signalFrame: UInt = 3_000

    static func zone(_ address: UInt) -> fl_zone {
        switch address {
        case slotLow..<roomLow: .FL_ZONE_BEYOND
        case roomLow..<low: .FL_ZONE_ROOM
        case low..<base: .FL_ZONE_COMMITTED
        default: .FL_ZONE_OUTSIDE
        }
    }

    static func isInSlot(_ address: UInt) -> Bool { address >= slotLow && address < base }
}

/// Facts of a page fault of the running stack's code, as the handler would gather them.
private func pageFault(
    at address: UInt, sp: UInt, growth: fl_growth = .FL_GROWTH_TRAP, code: Int32 = accErr, error: UInt64 = userWrite
) -> fl_fault_facts {
    var facts = fl_fault_facts()
    facts.signal = segv
    facts.code = code
    facts.address = address
    facts.error = error
    facts.trap = 14
    facts.ip = 0x5555_0000_1000
    facts.sp = sp
    facts.access = fl_access(
        kind: .FL_ACCESS_MEMORY, length: 4, address: address, uses_thread_segment: 0, second_is_stack: 0)
    facts.has_stack = true
    facts.stack_low = Layout.low
    facts.stack_base = Layout.base
    facts.stack_slot_low = Layout.slotLow
    facts.stack_room_low = Layout.roomLow
    facts.growth = growth
    facts.zone = Layout.zone(address)
    facts.address_in_running_stack = Layout.isInSlot(address)
    facts.sp_in_running_stack = Layout.isInSlot(sp)
    facts.sp_below_running_slot = sp < Layout.slotLow && sp > Layout.slotLow - Layout.largestFrame
    facts.nil_extent = 0x1_0000
    facts.signal_frame_size = Int(Layout.signalFrame)
    return facts
}

/// Facts of a general protection fault of an instruction whose operand is at `operand`.
private func protectionFault(
    operand: UInt, kind: fl_access_kind = .FL_ACCESS_MEMORY, sp: UInt = Layout.base - 0x1000
) -> fl_fault_facts {
    var facts = pageFault(at: 0, sp: sp, code: kernel, error: 0)
    facts.trap = 13
    facts.access.kind = kind
    facts.access.address = operand
    return facts
}

private func classify(_ facts: fl_fault_facts) -> fl_verdict {
    withUnsafePointer(to: facts) { fl_fault_classify($0) }
}

private func name(_ verdict: fl_verdict) -> String { String(cString: fl_verdict_name(verdict)) }

/// One address with the verdict under each way of growth.
struct EdgeCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let address: UInt
    let sp: UInt
    let none: fl_verdict
    let trap: fl_verdict
    let check: fl_verdict

    init(
        _ text: String, at address: UInt, sp: UInt, none: fl_verdict, trap: fl_verdict, check: fl_verdict
    ) {
        (testDescription, self.address, self.sp) = (text, address, sp)
        (self.none, self.trap, self.check) = (none, trap, check)
    }

    /// The same verdict whatever the growth.
    init(_ text: String, at address: UInt, sp: UInt, _ verdict: fl_verdict) {
        self.init(text, at: address, sp: sp, none: verdict, trap: verdict, check: verdict)
    }

    /// In the room, by code of the running stack.
    static func room(_ text: String, at address: UInt, sp: UInt) -> EdgeCase {
        EdgeCase(
            text, at: address, sp: sp, none: .FL_VERDICT_OVERFLOW, trap: .FL_VERDICT_GROWTH, check: .FL_VERDICT_HEADROOM
        )
    }

    /// Beyond the room, by code of the running stack.
    static func beyond(_ text: String, at address: UInt, sp: UInt) -> EdgeCase {
        EdgeCase(
            text, at: address, sp: sp, none: .FL_VERDICT_OVERFLOW, trap: .FL_VERDICT_OVERFLOW,
            check: .FL_VERDICT_HEADROOM)
    }
}

private let edges: [EdgeCase] = [
    // The zones' edges, with a store at the stack pointer.
    EdgeCase("above the base", at: Layout.base, sp: Layout.base - 64, .FL_VERDICT_FOREIGN),
    EdgeCase("committed, last byte", at: Layout.base - 1, sp: Layout.base - 64, .FL_VERDICT_FOREIGN),
    EdgeCase("committed, first byte", at: Layout.low, sp: Layout.low, .FL_VERDICT_FOREIGN),
    EdgeCase("committed, second byte", at: Layout.low + 1, sp: Layout.low, .FL_VERDICT_FOREIGN),
    .room("room, last byte", at: Layout.low - 1, sp: Layout.low - 1),
    .room("room, last byte, by a push", at: Layout.low - 1, sp: Layout.low + 7),
    .room("room, first byte, in the red zone", at: Layout.roomLow, sp: Layout.roomLow + redZone),
    .room("room, first byte but one", at: Layout.roomLow + 1, sp: Layout.roomLow + redZone),
    .beyond("beyond, last byte", at: Layout.roomLow - 1, sp: Layout.roomLow - 1),
    .beyond("beyond, last byte, in the red zone", at: Layout.roomLow - 1, sp: Layout.roomLow + redZone - 1),
    .beyond("beyond, first byte", at: Layout.slotLow, sp: Layout.slotLow),
    .beyond("beyond, second byte", at: Layout.slotLow + 1, sp: Layout.slotLow + 1),
    .beyond("beyond, read above the stack pointer", at: Layout.slotLow + 8, sp: Layout.slotLow),
    // The frame must fit as a whole.
    .room("the frame's red zone ends with the room", at: Layout.low - 8, sp: Layout.roomLow + redZone),
    .beyond("the frame's red zone leaves the room", at: Layout.low - 8, sp: Layout.roomLow + redZone - 1),
    .beyond("the frame reaches beyond the room", at: Layout.low - 8, sp: Layout.slotLow),
    // A frame larger than what lies below: the handler knows whether a larger slot exists.
    .room("the frame left the slot, access in the room", at: Layout.low - 8, sp: Layout.slotLow - 1),
    .room("the frame left the slot, access beyond the room", at: Layout.slotLow, sp: Layout.slotLow - 1),
    .room("the frame left the slot, access below it", at: Layout.slotLow - 1, sp: Layout.slotLow - 1),
    .room("the frame left the slot, end of the red zone", at: Layout.slotLow - 129, sp: Layout.slotLow - 1),
    EdgeCase(
        "the frame left the slot, below the red zone", at: Layout.slotLow - 130, sp: Layout.slotLow - 1,
        .FL_VERDICT_FOREIGN),
    EdgeCase(
        "the frame left the slot, access at the base", at: Layout.base, sp: Layout.slotLow - 1, .FL_VERDICT_FOREIGN),
    EdgeCase(
        "the frame left the slot, access to what is committed", at: Layout.low, sp: Layout.slotLow - 1,
        .FL_VERDICT_FOREIGN),
    // The red zone's edge.
    .room("last byte of the red zone", at: Layout.low - redZone, sp: Layout.low),
    EdgeCase("first byte below the red zone", at: Layout.low - redZone - 1, sp: Layout.low, .FL_VERDICT_BELOW_STACK),
    EdgeCase("far below, in the room", at: Layout.roomLow, sp: Layout.base - 64, .FL_VERDICT_BELOW_STACK),
    EdgeCase("far below, beyond the room", at: Layout.slotLow, sp: Layout.base - 64, .FL_VERDICT_BELOW_STACK),
    EdgeCase("below the slot", at: Layout.slotLow - 1, sp: Layout.base - 64, .FL_VERDICT_FOREIGN),
    // Another stack runs (the thread's own, or a handler's).
    EdgeCase("room while another stack runs", at: Layout.low - 1, sp: 0x7FFF_0000_0000, .FL_VERDICT_OTHER_GUARD),
    EdgeCase("beyond while another stack runs", at: Layout.slotLow, sp: 0x7FFF_0000_0000, .FL_VERDICT_OTHER_GUARD),
    EdgeCase("room, stack pointer at the base", at: Layout.low - 1, sp: Layout.base, .FL_VERDICT_OTHER_GUARD),
    EdgeCase(
        "room, stack pointer too far below the slot", at: Layout.low - 1, sp: Layout.slotLow - Layout.largestFrame,
        .FL_VERDICT_OTHER_GUARD),
    // The nil page and the kernel's half.
    EdgeCase("nil", at: 0, sp: Layout.low, .FL_VERDICT_NIL_DEREFERENCE),
    EdgeCase("nil page, last byte", at: 0xFFFF, sp: Layout.low, .FL_VERDICT_NIL_DEREFERENCE),
    EdgeCase("above the nil page", at: 0x1_0000, sp: Layout.low, .FL_VERDICT_FOREIGN),
    EdgeCase("nil while the stack pointer is nil", at: 0, sp: 0xFFFF, .FL_VERDICT_FOREIGN),
    EdgeCase("nil, stack pointer above the nil page", at: 0, sp: 0x1_0000, .FL_VERDICT_NIL_DEREFERENCE),
    EdgeCase("last address of the user's half", at: userEnd - 1, sp: Layout.low, .FL_VERDICT_FOREIGN),
    EdgeCase("first address above the user's half", at: userEnd, sp: Layout.low, .FL_VERDICT_FOREIGN),
    EdgeCase("last address", at: .max, sp: Layout.low, .FL_VERDICT_FOREIGN),
]

/// Facts under a name, and their verdict.
struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let facts: fl_fault_facts
    let verdict: fl_verdict

    init(
        _ text: String, _ facts: fl_fault_facts, _ verdict: fl_verdict,
        _ change: (inout fl_fault_facts) -> Void = { _ in }
    ) {
        var changed = facts
        change(&changed)
        (testDescription, self.facts, self.verdict) = (text, changed, verdict)
    }
}

private let inRoom = pageFault(at: Layout.low - 8, sp: Layout.low)
private let outside = pageFault(at: 0x6000_0000_0000, sp: Layout.base - 64)
private let wild: UInt = 0xDEAD_BEEF_0000_0000
private let nearGuard = Layout.low + redZone + Layout.signalFrame - 1

/// What the kernel reports, cause by cause.
private let causes: [Case] = [
    Case("PROT_NONE page", inRoom, .FL_VERDICT_GROWTH),
    Case("guard in the page table", inRoom, .FL_VERDICT_GROWTH) { $0.code = mapErr },
    Case("nil read", pageFault(at: 0, sp: Layout.low, code: mapErr, error: userRead), .FL_VERDICT_NIL_DEREFERENCE),
    Case("nil write", pageFault(at: 8, sp: Layout.low, code: mapErr, error: userWrite), .FL_VERDICT_NIL_DEREFERENCE),
    Case("nil without a stack", pageFault(at: 8, sp: 0x7FFF_0000_0000, code: mapErr), .FL_VERDICT_NIL_DEREFERENCE) {
        $0.has_stack = false
    },
    Case("non-canonical pointer", protectionFault(operand: wild), .FL_VERDICT_NON_CANONICAL),
    Case("non-canonical pointer without a stack", protectionFault(operand: wild), .FL_VERDICT_NON_CANONICAL) {
        $0.has_stack = false
    },
    Case(
        "lost signal frame", protectionFault(operand: Layout.low + 64, sp: Layout.low + 64),
        .FL_VERDICT_LOST_SIGNAL_FRAME),
    Case("kill", inRoom, .FL_VERDICT_SENT) { $0.code = 0 },
    Case("raise", inRoom, .FL_VERDICT_SENT) { $0.code = -6 },
    Case("sigqueue", inRoom, .FL_VERDICT_SENT) { $0.code = -1 },
    Case("kill with SIGBUS", inRoom, .FL_VERDICT_SENT) { ($0.signal, $0.code) = (bus, 0) },
    Case("non-canonical through rsp", protectionFault(operand: wild), .FL_VERDICT_NON_CANONICAL) { $0.signal = bus },
    Case("misaligned, or beyond a file's end", inRoom, .FL_VERDICT_FOREIGN) { ($0.signal, $0.code) = (bus, 2) },
    Case(
        "kernel half, read", pageFault(at: 0xFFFF_8000_0000_0000, sp: Layout.low, code: mapErr, error: 5),
        .FL_VERDICT_FOREIGN),
    Case(
        "kernel half, write", pageFault(at: 0xFFFF_8000_0000_0000, sp: Layout.low, code: mapErr, error: 7),
        .FL_VERDICT_FOREIGN),
    Case("ud2", inRoom, .FL_VERDICT_FOREIGN) { ($0.signal, $0.code) = (4, 2) },
    Case("protection key", inRoom, .FL_VERDICT_FOREIGN) { $0.code = 4 },
    Case("a code from the future", inRoom, .FL_VERDICT_FOREIGN) { $0.code = 99 },
    Case("jump to data", outside, .FL_VERDICT_EXECUTE) { $0.error = 0x15 },
    Case("jump to nil", pageFault(at: 0, sp: Layout.low, code: mapErr), .FL_VERDICT_EXECUTE) { $0.error = 0x14 },
    Case("jump into a left range", outside, .FL_VERDICT_EXECUTE) { ($0.error, $0.zone) = (0x15, .FL_ZONE_OLD_RANGE) },
    Case("write to constants", outside, .FL_VERDICT_READ_ONLY) { $0.error = 7 },
    Case("read of what is present", outside, .FL_VERDICT_FOREIGN) { $0.error = 5 },
    Case("write to a hole", outside, .FL_VERDICT_FOREIGN) { $0.code = mapErr },
    Case("write to a hole, said to be present", outside, .FL_VERDICT_FOREIGN) { ($0.code, $0.error) = (mapErr, 7) },
    Case("left range", outside, .FL_VERDICT_STALE_REFERENCE) { $0.zone = .FL_ZONE_OLD_RANGE },
    Case("left range through a stale stack pointer", outside, .FL_VERDICT_STALE_REFERENCE) {
        ($0.zone, $0.sp, $0.sp_in_running_stack) = (.FL_ZONE_OLD_RANGE, $0.address, false)
    },
    Case("hibernated stack", outside, .FL_VERDICT_HIBERNATED) { $0.zone = .FL_ZONE_HIBERNATED },
    Case("hibernated stack, read", outside, .FL_VERDICT_HIBERNATED) {
        ($0.zone, $0.code, $0.error) = (.FL_ZONE_HIBERNATED, mapErr, userRead)
    },
    Case("hibernated stack while none runs", outside, .FL_VERDICT_HIBERNATED) {
        ($0.zone, $0.has_stack) = (.FL_ZONE_HIBERNATED, false)
    },
    Case("jump into a hibernated stack", outside, .FL_VERDICT_EXECUTE) {
        ($0.error, $0.zone) = (0x15, .FL_ZONE_HIBERNATED)
    },
    Case("below what a hibernated stack uses", outside, .FL_VERDICT_OTHER_GUARD) { $0.zone = .FL_ZONE_ROOM },
    Case("a signal that names a hibernated stack", outside, .FL_VERDICT_SENT) {
        ($0.zone, $0.code) = (.FL_ZONE_HIBERNATED, 0)
    },
    Case("free slot", outside, .FL_VERDICT_OTHER_GUARD) { $0.zone = .FL_ZONE_FREE },
    Case("another stack's room", outside, .FL_VERDICT_OTHER_GUARD) { $0.zone = .FL_ZONE_ROOM },
    Case("another stack's reserve", outside, .FL_VERDICT_OTHER_GUARD) { $0.zone = .FL_ZONE_BEYOND },
    Case("another stack's committed part", outside, .FL_VERDICT_FOREIGN) { $0.zone = .FL_ZONE_COMMITTED },
    Case("room of a stack while none runs", inRoom, .FL_VERDICT_OTHER_GUARD) { $0.has_stack = false },
    Case("the handler decides about the room", pageFault(at: Layout.low - 8, sp: Layout.slotLow), .FL_VERDICT_GROWTH) {
        $0.stack_room_low = 0
    },
]

/// Protection faults: what the operand says against how near the stack pointer is to the guard.
private let protections: [Case] = [
    Case("last byte of the lower half", protectionFault(operand: userEnd - 1), .FL_VERDICT_FOREIGN),
    Case("first non-canonical byte", protectionFault(operand: userEnd), .FL_VERDICT_NON_CANONICAL),
    Case("last non-canonical byte", protectionFault(operand: UInt.max - userEnd), .FL_VERDICT_NON_CANONICAL),
    Case("first byte of the upper half", protectionFault(operand: UInt.max - userEnd + 1), .FL_VERDICT_FOREIGN),
    Case("privileged instruction", protectionFault(operand: 0, kind: .FL_ACCESS_NONE), .FL_VERDICT_FOREIGN),
    Case("not decoded", protectionFault(operand: 0, kind: .FL_ACCESS_UNKNOWN), .FL_VERDICT_AMBIGUOUS),
    Case(
        "no operand, near the guard", protectionFault(operand: 0, kind: .FL_ACCESS_NONE, sp: nearGuard),
        .FL_VERDICT_LOST_SIGNAL_FRAME),
    Case(
        "not decoded, near the guard", protectionFault(operand: 0, kind: .FL_ACCESS_UNKNOWN, sp: nearGuard),
        .FL_VERDICT_AMBIGUOUS),
    Case("both fit", protectionFault(operand: wild, sp: nearGuard), .FL_VERDICT_AMBIGUOUS),
    Case(
        "a signal frame just does not fit", protectionFault(operand: 0x1000, sp: nearGuard),
        .FL_VERDICT_LOST_SIGNAL_FRAME),
    Case("a signal frame just fits", protectionFault(operand: 0x1000, sp: nearGuard + 1), .FL_VERDICT_FOREIGN),
    Case(
        "stack pointer in the room", protectionFault(operand: 0x1000, sp: Layout.low - 1),
        .FL_VERDICT_LOST_SIGNAL_FRAME),
    Case(
        "stack pointer below the slot", protectionFault(operand: 0x1000, sp: Layout.slotLow - 1),
        .FL_VERDICT_LOST_SIGNAL_FRAME),
    Case("another stack runs", protectionFault(operand: 0x1000, sp: 0x7FFF_0000_0000), .FL_VERDICT_FOREIGN),
    Case("no stack runs", protectionFault(operand: 0x1000, sp: nearGuard), .FL_VERDICT_FOREIGN) {
        $0.has_stack = false
    },
    Case(
        "non-canonical program counter", protectionFault(operand: 0, kind: .FL_ACCESS_UNKNOWN),
        .FL_VERDICT_NON_CANONICAL
    ) { $0.ip = wild },
    Case("thread-local, near the guard", protectionFault(operand: 0x28, sp: nearGuard), .FL_VERDICT_LOST_SIGNAL_FRAME) {
        $0.access.uses_thread_segment = 1
    },
    Case("thread-local below the thread pointer", protectionFault(operand: UInt.max - 7), .FL_VERDICT_FOREIGN) {
        $0.access.uses_thread_segment = 1
    },
    Case("wild offset from the thread pointer", protectionFault(operand: wild), .FL_VERDICT_AMBIGUOUS) {
        $0.access.uses_thread_segment = 1
    },
    Case("an enormous signal frame", protectionFault(operand: 0x1000), .FL_VERDICT_LOST_SIGNAL_FRAME) {
        $0.signal_frame_size = Int(bitPattern: .max)
    },
]

@Suite struct FaultClassifyTests {
    @Test("the verdicts are right at the zones' edges", arguments: edges)
    func classifiesEdge(edge: EdgeCase) {
        let expected: [(fl_growth, fl_verdict)] = [
            (.FL_GROWTH_NONE, edge.none), (.FL_GROWTH_TRAP, edge.trap), (.FL_GROWTH_CHECK, edge.check),
        ]
        for (growth, verdict) in expected {
            // Guards are either unmapped or inaccessible, and reads grow a stack as writes do.
            for code in [mapErr, accErr] {
                for error in [userRead, userWrite] {
                    let got = classify(
                        pageFault(at: edge.address, sp: edge.sp, growth: growth, code: code, error: error))
                    #expect(got == verdict, "growth \(growth.rawValue) code \(code): \(name(got))")
                }
            }
        }
    }

    @Test("each cause that the kernel reports has its verdict", arguments: causes + protections)
    func classifiesCause(row: Case) {
        let got = classify(row.facts)
        #expect(got == row.verdict, "\(name(got))")
    }

    @Test("verdicts have names")
    func namesVerdicts() {
        let names = (0..<fl_verdict.FL_VERDICT_COUNT.rawValue).map { name(fl_verdict(rawValue: $0)!) }
        #expect(
            names == [
                "growth", "overflow", "nil-dereference", "stale-reference", "other-guard", "below-stack",
                "headroom-too-small", "write-to-read-only", "execute", "non-canonical", "lost-signal-frame",
                "ambiguous", "sent", "foreign", "hibernated",
            ])
        #expect(name(.FL_VERDICT_COUNT) == "unknown")
    }

    @Test("two million synthetic faults keep the invariants", .long)
    func keepsInvariants() {
        var facts = FactsGenerator(seed: 0xFA17_11E5)
        var counts = [Int](repeating: 0, count: Int(fl_verdict.FL_VERDICT_COUNT.rawValue))
        var violations = 0
        for index in 0..<2_000_000 {
            var fact = facts.next()
            let verdict = fl_fault_classify(&fact)
            guard verdict.rawValue < fl_verdict.FL_VERDICT_COUNT.rawValue else {
                Issue.record("case \(index): verdict \(verdict.rawValue)")
                return
            }
            counts[Int(verdict.rawValue)] += 1
            if let invariant = brokenInvariant(fact, verdict) {
                violations += 1
                if violations <= 10 { Issue.record("case \(index), \(name(verdict)): \(invariant)\n\(fact)") }
            }
        }
        #expect(violations == 0)
        // Every verdict must have been tried in earnest.
        for (verdict, count) in counts.enumerated() {
            #expect(count > 1_000, "\(name(fl_verdict(rawValue: UInt32(verdict))!)): \(count)")
        }
    }
}

// MARK: - Synthetic facts

/// Makes facts that need not fit together, with addresses crowded around the places where the verdict changes.
private struct FactsGenerator {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    private mutating func chance(_ outOf: UInt64) -> Bool { random.next() % outOf == 0 }

    private mutating func address(near other: UInt) -> UInt {
        let bits = random.next()
        let offset = UInt(bits >> 32 & 0x1FF) &- 0x100
        switch bits & 15 {
        case 0: return UInt(random.next())
        case 1: return UInt(bits >> 40)
        case 2: return userEnd &+ offset
        case 3: return (UInt.max - userEnd) &+ offset
        case 4: return 0x1_0000 &+ offset
        case 5: return Layout.slotLow &+ offset
        case 6: return Layout.roomLow &+ offset
        case 7: return Layout.base &+ offset
        case 8: return Layout.low &+ redZone &+ Layout.signalFrame &+ offset
        case 9: return offset
        case 10, 11: return Layout.low &+ offset
        default: return other &+ offset
        }
    }

    /// An enumerator's value, now and then one that does not exist.
    private mutating func raw(_ count: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: chance(32) ? random.next() : random.next() % count)
    }

    mutating func next() -> fl_fault_facts {
        var facts = fl_fault_facts()
        facts.signal = chance(12) ? bus : chance(40) ? Int32(truncatingIfNeeded: random.next() % 65) : segv
        let bits = random.next()
        switch bits & 15 {
        case 0: facts.code = Int32(truncatingIfNeeded: random.next())
        case 1: facts.code = Int32(bits >> 32 & 15) - 8
        case 2...5: facts.code = kernel
        case 6...10: facts.code = mapErr
        default: facts.code = accErr
        }
        facts.sp = address(near: Layout.low)
        facts.address = address(near: facts.sp)
        facts.error = chance(6) ? random.next() : random.next() & 7
        facts.trap = random.next() & 15
        facts.ip = chance(20) ? UInt(random.next()) : 0x5555_0000_1000
        facts.access.length = UInt32(bits >> 8 & 15)
        facts.access.address = address(near: facts.address)
        facts.access.uses_thread_segment = chance(8) ? 1 : 0
        facts.access.second_is_stack = chance(8) ? 1 : 0
        facts.has_stack = bits >> 16 & 7 != 0
        facts.stack_low = Layout.low
        facts.stack_base = Layout.base
        facts.stack_slot_low = Layout.slotLow
        facts.stack_room_low = bits >> 20 & 3 == 0 ? 0 : Layout.roomLow
        facts.address_in_running_stack = bits >> 24 & 1 != 0
        facts.sp_in_running_stack = bits >> 25 & 3 != 0
        facts.sp_below_running_slot = bits >> 27 & 3 == 0
        facts.nil_extent = bits >> 29 & 7 == 0 ? UInt(random.next()) : 0x1_0000
        facts.signal_frame_size =
            bits >> 32 & 15 == 0 ? Int(truncatingIfNeeded: random.next()) : Int(Layout.signalFrame)
        // Written as numbers, because Swift has no way to make an enumerator that does not exist.
        let (kind, growth, zone) = (raw(5), raw(3), raw(7))
        withUnsafeMutableBytes(of: &facts) { bytes in
            let access = MemoryLayout<fl_fault_facts>.offset(of: \.access)!
            bytes.storeBytes(of: kind, toByteOffset: access, as: UInt32.self)
            bytes.storeBytes(
                of: growth, toByteOffset: MemoryLayout<fl_fault_facts>.offset(of: \.growth)!, as: UInt32.self)
            bytes.storeBytes(of: zone, toByteOffset: MemoryLayout<fl_fault_facts>.offset(of: \.zone)!, as: UInt32.self)
        }
        return facts
    }
}

/// The first property that a verdict violates, stated from the meaning of the verdicts and not from the order of the
/// classifier's rules.
private func brokenInvariant(_ facts: fl_fault_facts, _ verdict: fl_verdict) -> String? {
    let zone = facts.zone.rawValue
    let isZone = { (other: fl_zone) in zone == other.rawValue }
    let isGrowth = { (other: fl_growth) in facts.growth.rawValue == other.rawValue }
    let isPageFault = facts.signal == segv && (facts.code == mapErr || facts.code == accErr)
    let isProtection = facts.signal == segv && facts.code == kernel
    let isFetch = facts.error & 16 != 0
    let isNil = facts.address < facts.nil_extent
    let reachesAccess = facts.address >= facts.sp || facts.sp - facts.address <= redZone
    let runsHere = facts.has_stack && (facts.sp_in_running_stack || facts.sp_below_running_slot)
    let isWild = { (address: UInt) in address >= userEnd && address <= UInt.max - userEnd }
    let hasOperand = (2...4).contains(facts.access.kind.rawValue)
    let mayBeWild = isWild(facts.ip) || (hasOperand && isWild(facts.access.address))
    let room = facts.sp > Layout.low ? facts.sp - Layout.low : 0
    let frame = UInt(bitPattern: facts.signal_frame_size)
    let lacksRoom = facts.sp_below_running_slot || (facts.sp_in_running_stack && (room < 128 || room - 128 < frame))

    // What is decided by one fact alone.
    if (verdict == .FL_VERDICT_SENT) != (facts.code <= 0) { return "sent exactly if the code says so" }
    if verdict == .FL_VERDICT_SENT { return nil }
    if (verdict == .FL_VERDICT_EXECUTE) != (isPageFault && isFetch) { return "execute exactly for a fetch" }
    if (verdict == .FL_VERDICT_STALE_REFERENCE) != (isPageFault && !isFetch && isZone(.FL_ZONE_OLD_RANGE)) {
        return "stale exactly for a left range"
    }
    if (verdict == .FL_VERDICT_HIBERNATED) != (isPageFault && !isFetch && isZone(.FL_ZONE_HIBERNATED)) {
        return "hibernated exactly for a stack that hibernates"
    }
    if facts.signal == bus, (verdict == .FL_VERDICT_NON_CANONICAL) != (facts.code == kernel) {
        return "SIGBUS is non-canonical exactly if the kernel says so"
    }

    switch verdict {
    case .FL_VERDICT_GROWTH, .FL_VERDICT_OVERFLOW, .FL_VERDICT_HEADROOM:
        guard isPageFault, runsHere, reachesAccess else { return "an access of the running stack's code" }
        guard !isNil, facts.address < userEnd, !isZone(.FL_ZONE_COMMITTED) else { return "where a stack can have room" }
        guard (verdict == .FL_VERDICT_HEADROOM) == isGrowth(.FL_GROWTH_CHECK) else { return "headroom means checks" }
        if verdict == .FL_VERDICT_OVERFLOW { break }
        guard (verdict == .FL_VERDICT_GROWTH) == isGrowth(.FL_GROWTH_TRAP) else { return "growth means traps" }
        guard verdict == .FL_VERDICT_HEADROOM || facts.sp_below_running_slot || isZone(.FL_ZONE_ROOM) else {
            return "growth in place stays in the room"
        }
        guard facts.sp_below_running_slot || verdict == .FL_VERDICT_HEADROOM || facts.sp >= facts.stack_room_low + 128
        else { return "growth in place holds the frame" }
    case .FL_VERDICT_BELOW_STACK:
        guard isPageFault, runsHere, !reachesAccess, facts.address_in_running_stack else { return "far below" }
        guard isZone(.FL_ZONE_ROOM) || isZone(.FL_ZONE_BEYOND) else { return "in room of its own" }
    case .FL_VERDICT_NIL_DEREFERENCE:
        guard isPageFault, isNil, facts.sp >= facts.nil_extent else { return "nil" }
    case .FL_VERDICT_OTHER_GUARD:
        guard isPageFault, !isNil, facts.address < userEnd else { return "a guard's address" }
        guard isZone(.FL_ZONE_ROOM) || isZone(.FL_ZONE_BEYOND) || isZone(.FL_ZONE_FREE) else { return "a guard" }
        guard !(runsHere && facts.address_in_running_stack) || isZone(.FL_ZONE_FREE) else { return "not one's own" }
    case .FL_VERDICT_READ_ONLY:
        guard facts.signal == segv, facts.code == accErr, facts.error & 3 == 3 else { return "a refused write" }
        guard isZone(.FL_ZONE_OUTSIDE) else { return "outside every slot" }
    case .FL_VERDICT_NON_CANONICAL:
        guard facts.signal == bus || (isProtection && mayBeWild) else { return "an address that cannot exist" }
        guard facts.signal == bus || !(facts.has_stack && lacksRoom) else { return "alone" }
    case .FL_VERDICT_LOST_SIGNAL_FRAME:
        guard isProtection, facts.has_stack, lacksRoom else { return "a frame that does not fit" }
        guard !mayBeWild || facts.access.uses_thread_segment != 0, !isWild(facts.ip) else { return "alone" }
    case .FL_VERDICT_AMBIGUOUS:
        guard isProtection else { return "only what has no address is ambiguous" }
    case .FL_VERDICT_FOREIGN:
        let isRoom = isPageFault && isZone(.FL_ZONE_ROOM) && facts.address < userEnd && !isNil
        guard !isRoom else { return "room is never foreign" }
        guard !(isPageFault && isNil && facts.sp >= facts.nil_extent) else { return "nil is never foreign" }
        guard !(isProtection && isWild(facts.ip)) else { return "a wild program counter is never foreign" }
    default:
        break  // sent, execute, stale-reference and hibernated are settled above
    }
    return purity(facts, verdict)
}

/// The verdict must not change when asked again, nor with facts that mean nothing for this kind of fault.
private func purity(_ facts: fl_fault_facts, _ verdict: fl_verdict) -> String? {
    var other = facts
    if fl_fault_classify(&other) != verdict { return "the same facts, the same verdict" }
    other.trap = ~facts.trap
    if facts.code == kernel {
        other.address = ~facts.address
        other.error = ~facts.error
    } else {
        other.access.address = ~facts.access.address
        other.ip = ~facts.ip
    }
    let before = other
    if fl_fault_classify(&other) != verdict { return "stale facts do not count" }
    let isUnchanged = withUnsafeBytes(of: before) { old in
        withUnsafeBytes(of: other) { old.elementsEqual($0) }
    }
    return isUnchanged ? nil : "facts are not written to"
}
