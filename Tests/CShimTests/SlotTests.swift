// One slot: which bytes of it can be accessed, at the first and last byte of each zone and one byte either side.
import CShim
import CShimInternals
import Glibc
import TestNeeds
import Testing

private let page: UInt = 4096

/// A slot of a process of its own, so that its neighbours are no other stack's.
private struct Subject: Sendable, Codable, CustomStringConvertible {
    let size: UInt32
    let guardKind: UInt32

    var description: String { "slot size \(size), guard \(guardKind)" }
    var slotSize: fl_slot_size { fl_slot_size(rawValue: size)! }
    var guardPages: Bool { guardKind == fl_guard.FL_GUARD_PAGES.rawValue }

    static func all(_ kind: fl_guard) -> [Subject] {
        (0..<fl_slot_size.FL_SLOT_SIZES.rawValue).map { Subject(size: $0, guardKind: kind.rawValue) }
    }

    func take() -> fl_slot_handle {
        precondition(fl_initialize() == 0)
        var stack = UnsafeMutablePointer<fl_stack>(bitPattern: 16)!  // any: it is replaced
        precondition(fl_stack_entry_take(&stack) == 0)
        var handle = fl_slot_handle()
        let failure = fl_slot_take(slotSize, fl_guard(rawValue: guardKind)!, stack, &handle)
        precondition(failure.error == 0)
        return handle
    }

    /// A slot that a stack was ended on.
    func overflow() {
        let handle = take()
        precondition(fl_slot_make_usable(handle, fl_slot_base(handle) - page).error == 0)
        UnsafeMutablePointer<UInt8>(bitPattern: fl_slot_base(handle) - 1)!.pointee = 1
        precondition(fl_slot_quarantine(handle).error == 0)
    }
}

/// The bytes on both sides of `low` and at the ends of the slot.
private func expectBounds(_ handle: fl_slot_handle, low: UInt, _ comment: Comment) {
    let base = fl_slot_base(handle)
    let slotLow = fl_slot_low(handle)
    #expect(fl_is_readable(base - 1) && fl_is_readable(low), comment)
    #expect(!fl_is_readable(low - 1) && !fl_is_readable(low - page), comment)
    #expect(!fl_is_readable(slotLow), comment)
    let size = fl_slot_size(rawValue: UInt32(handle.arena!.pointee.size))!
    #expect(!fl_is_readable(slotLow + fl_slot_geometry_of(size).guard - 1), comment)
    // Wherever a frame of the size promised may end.
    let end = max(low - fl_slot_largest_frame(size), slotLow)
    #expect(!stride(from: end, to: low, by: Int(page)).contains { fl_is_readable($0) }, comment)
    UnsafeMutablePointer<UInt8>(bitPattern: low)!.pointee = 1
    UnsafeMutablePointer<UInt8>(bitPattern: base - 1)!.pointee = 1
    #expect(fl_slot_address(handle, fl_slot_entry(handle).pointee.low) == low, comment)
}

/// What each test checks in a process of its own.
private enum Check {
    static func handle(_ subject: Subject) {
        let handle = subject.take()
        let low = fl_slot_low(handle)
        let base = fl_slot_base(handle)
        #expect(base - low == fl_slot_geometry_of(subject.slotSize).size)
        for inside in [low, low + 1, base - 1] {
            let found = fl_slot_of(inside)
            #expect(found.arena == handle.arena && found.index == handle.index)
        }
        #expect(fl_slot_of(base).index == handle.index + 1)
        if handle.index == 0 {
            #expect(fl_slot_of(low - 1).arena == nil)
        } else {
            #expect(fl_slot_of(low - 1).index == handle.index - 1)
        }
        #expect(fl_slot_of(1 << 47).arena == nil && fl_slot_of(UInt.max).arena == nil && fl_slot_of(0).arena == nil)
        for address in [base, base - page, low] {
            #expect(fl_slot_address(handle, fl_slot_pages(handle, address)) == address)
        }
    }

    static func life(_ subject: Subject) {
        let handle = subject.take()
        let base = fl_slot_base(handle)
        let room = fl_slot_room(subject.slotSize)
        let before = fl_memory_in_use()
        #expect(fl_slot_make_usable(handle, base - 2 * page).error == 0)
        expectBounds(handle, low: base - 2 * page, "made usable")
        #expect(fl_memory_in_use() == before + UInt64(2 * page))

        #expect(fl_slot_extend(handle, base - 3 * page).error == 0)
        expectBounds(handle, low: base - 3 * page, "extended by a page")
        let half = fl_slot_growth_end(handle, base - max(room / 2, 3 * page))
        #expect(fl_slot_extend(handle, half).error == 0)
        expectBounds(handle, low: half, "extended to half of its room")
        #expect(fl_slot_extend(handle, base - room).error == 0)
        expectBounds(handle, low: base - room, "extended to all of its room")
        #expect(fl_memory_in_use() == before + UInt64(room))

        #expect(fl_slot_lift(handle, base - 2 * page).error == 0)
        expectBounds(handle, low: base - 2 * page, "lifted")
        #expect(fl_memory_in_use() == before + UInt64(2 * page))

        #expect(fl_slot_retire(handle, base - page, false).error == 0)
        for address in [base - 1, base - page, base - page - 1, base - 2 * page] {
            #expect(!fl_is_readable(address) || (subject.guardPages && address < base - page), "retired")
        }
        #expect(fl_memory_in_use() == before)
        #expect(fl_slot_make_usable(handle, base - 2 * page).error == 0)
        expectBounds(handle, low: base - 2 * page, "usable again")

        fl_slot_release(handle, false)
        #expect(fl_memory_in_use() == before)
        #expect(fl_slot_entry(handle).pointee.old_low == 0)
    }

    static func quarantine(_ subject: Subject) {
        let handle = subject.take()
        let base = fl_slot_base(handle)
        let low = fl_slot_low(handle)
        let before = fl_memory_in_use()
        #expect(fl_slot_make_usable(handle, base - page).error == 0)
        #expect(fl_slot_quarantine(handle).error == 0)
        for address in [base - 1, base - page, base - page - 1, low] { #expect(!fl_is_readable(address)) }
        #expect(fl_quarantine_count() == 1 && fl_memory_in_use() == before)
        for _ in 0..<3 { #expect(subject.take().index != handle.index) }

        // Those that come later push it out: its place is the first to be taken again.
        let mappings = Self.mappings()
        for _ in 1..<FL_QUARANTINE_SLOTS { subject.overflow() }
        #expect(Int(fl_quarantine_count()) == Int(FL_QUARANTINE_SLOTS) && !fl_is_readable(base - 1))
        #expect(Self.mappings() <= mappings + 2 * Int(FL_QUARANTINE_SLOTS))
        let inUse = fl_slots_in_use(subject.slotSize)
        subject.overflow()
        #expect(Int(fl_quarantine_count()) == Int(FL_QUARANTINE_SLOTS))
        #expect(fl_slots_in_use(subject.slotSize) == inUse)
        let again = subject.take()
        #expect(again.index == handle.index && again.arena == handle.arena)
        #expect(fl_slot_make_usable(again, base - 2 * page).error == 0)
        expectBounds(again, low: base - 2 * page, "after its quarantine")
        #expect(UnsafeMutablePointer<UInt>(bitPattern: base - 8)!.pointee == 1 << 56, "only what the check stored")
        // All others come round too, and the mappings are as many as before.
        let full = Self.mappings()
        for _ in 0..<4 * FL_QUARANTINE_SLOTS { subject.overflow() }
        #expect(Self.mappings() <= full + 2)
        #expect(fl_slots_in_use(subject.slotSize) == inUse + 1)
    }

    private static func mappings() -> Int {
        let file = fopen("/proc/self/maps", "re")!
        defer { fclose(file) }
        var lines = 0
        while true {
            let byte = getc(file)
            if byte == EOF { return lines }
            if byte == Int32(UInt8(ascii: "\n")) { lines += 1 }
        }
    }

    /// A slot that cannot be closed by a mapping is closed all the same, and is whole again afterwards.
    static func refusedQuarantine(_ subject: Subject) {
        let handle = subject.take()
        let base = fl_slot_base(handle)
        let low = fl_slot_low(handle)
        #expect(fl_slot_make_usable(handle, base - 3 * page).error == 0)
        UnsafeMutablePointer<UInt>(bitPattern: base - 8)!.pointee = 7
        fl_debug_fail(.FL_SITE_QUARANTINE, ENOMEM, 0)
        #expect(fl_slot_quarantine(handle).error == 0)
        fl_debug_fail(.FL_SITE_QUARANTINE, 0, 0)
        for address in [base - 1, base - 3 * page, base - 3 * page - 1, low] { #expect(!fl_is_readable(address)) }
        for _ in 0..<FL_QUARANTINE_SLOTS { subject.overflow() }
        let again = subject.take()
        #expect(again.index == handle.index)
        #expect(fl_slot_make_usable(again, base - 2 * page).error == 0)
        expectBounds(again, low: base - 2 * page, "after its quarantine")
        #expect(UnsafeMutablePointer<UInt>(bitPattern: base - 8)!.pointee == 1 << 56, "only what the check stored")

        // Neither way: it is lost, and nothing else.
        let lost = subject.take()
        #expect(fl_slot_make_usable(lost, fl_slot_base(lost) - page).error == 0)
        let other: fl_site = subject.guardPages ? .FL_SITE_GUARD_INSTALL : .FL_SITE_PROTECT_NONE
        let count = fl_quarantine_count()
        fl_debug_fail(.FL_SITE_QUARANTINE, ENOMEM, 0)
        fl_debug_fail(other, ENOMEM, 0)
        #expect(fl_slot_quarantine(lost).error == ENOMEM)
        fl_debug_fail(.FL_SITE_QUARANTINE, 0, 0)
        fl_debug_fail(other, 0, 0)
        #expect(fl_quarantine_count() == count)
    }

    /// A slot that cannot be opened again is lost, and is no place that a stack is given.
    static func refusedOpening(_ subject: Subject) {
        for site in [fl_site.FL_SITE_ARENA_OPEN, .FL_SITE_UFFDIO_REGISTER] {
            for _ in 0..<FL_QUARANTINE_SLOTS { subject.overflow() }
            let inUse = fl_slots_in_use(subject.slotSize)
            let calls = fl_debug_calls(site)
            fl_debug_fail(site, ENOMEM, 0)
            subject.overflow()
            fl_debug_fail(site, 0, 0)
            // Without guard pages an arena is neither opened as a whole nor registered.
            #expect((fl_debug_calls(site) > calls) == subject.guardPages)
            #expect(fl_slots_in_use(subject.slotSize) == inUse + (subject.guardPages ? 1 : 0))
            let next = subject.take()
            #expect(fl_slot_make_usable(next, fl_slot_base(next) - page).error == 0)
            expectBounds(next, low: fl_slot_base(next) - page, "\(site)")
        }
    }

    /// Where no arena can be made any more, the oldest in quarantine is used before its time.
    static func shortage(_ subject: Subject) {
        subject.overflow()
        let oldest = subject.take()
        #expect(fl_slot_make_usable(oldest, fl_slot_base(oldest) - page).error == 0)
        #expect(fl_slot_quarantine(oldest).error == 0)
        fl_debug_fail(.FL_SITE_ARENA_MAP, ENOMEM, 0)
        // The first of the arena and this one.
        let slots = Int(oldest.arena!.pointee.slots)
        var taken: [UInt32] = []
        for _ in 0..<slots { taken.append(subject.take().index) }
        #expect(taken.suffix(2) == [oldest.index - 1, oldest.index])
        #expect(fl_quarantine_count() == 0)
        var stack = UnsafeMutablePointer<fl_stack>(bitPattern: 16)!
        precondition(fl_stack_entry_take(&stack) == 0)
        var handle = fl_slot_handle()
        #expect(fl_slot_take(subject.slotSize, fl_guard(rawValue: subject.guardKind)!, stack, &handle).error == ENOMEM)
    }

    static func reuse(_ subject: Subject) {
        let handle = subject.take()
        let base = fl_slot_base(handle)
        #expect(fl_slot_make_usable(handle, base - page).error == 0)
        UnsafeMutablePointer<UInt>(bitPattern: base - 8)!.pointee = 7
        fl_slot_release(handle, false)
        let again = subject.take()
        #expect(again.index == handle.index && again.arena == handle.arena)
        #expect(fl_slot_make_usable(again, base - 2 * page).error == 0)
        expectBounds(again, low: base - 2 * page, "taken again")
        #expect(UnsafeMutablePointer<UInt>(bitPattern: base - 8)!.pointee == 1 << 56, "only what the check stored")
    }

    /// What is refused, and where: the slot is as before, and so is the memory that all stacks use.
    static func refusal(_ subject: Subject) {
        let handle = subject.take()
        let base = fl_slot_base(handle)
        let low = base - 2 * page
        let making: [fl_site] = subject.guardPages ? [.FL_SITE_GUARD_INSTALL] : [.FL_SITE_PROTECT_WRITE]
        for site in making {
            fl_debug_fail(site, EACCES, 0)
            let failure = fl_slot_make_usable(handle, low)
            #expect(failure.error == EACCES && failure.site == site.rawValue)
            #expect(fl_memory_in_use() == 0)
            fl_debug_fail(site, 0, 0)
        }
        #expect(fl_slot_make_usable(handle, low).error == 0)

        // The band that the slot began with reaches down to its guard in the small ones: there is none to install.
        let slides = subject.guardPages && subject.slotSize.rawValue > fl_slot_size.FL_SLOT_2MIB.rawValue
        let growing: [fl_site] =
            subject.guardPages
            ? [.FL_SITE_GROW_REMOVE] + (slides ? [.FL_SITE_GROW_INSTALL] : []) : [.FL_SITE_GROW_PROTECT]
        let end = fl_slot_growth_end(handle, base - max(fl_slot_room(subject.slotSize) / 2, 3 * page))
        for site in growing {
            let before = fl_memory_in_use()
            fl_debug_fail(site, EACCES, 0)
            let failure = fl_slot_extend(handle, end)
            #expect(failure.error == EACCES && failure.site == site.rawValue)
            #expect(fl_memory_in_use() == before)
            #expect(fl_is_readable(low) && !fl_is_readable(low - 1))
            fl_debug_fail(site, 0, 0)
        }
        let limit = fl_memory_limit()
        fl_memory_limit_set(fl_memory_in_use() + UInt64(base - end) - UInt64(2 * page) - 1)
        #expect(fl_slot_extend(handle, end).site == fl_site.FL_SITE_STACK_MEMORY.rawValue)
        expectBounds(handle, low: low, "refused by the limit")
        fl_memory_limit_set(fl_memory_in_use() + UInt64(base - end) - UInt64(2 * page))
        #expect(fl_slot_extend(handle, end).error == 0)
        expectBounds(handle, low: end, "just within the limit")
        fl_memory_limit_set(limit)

        fl_debug_fail(.FL_SITE_SHRINK_GUARD, EACCES, 0)
        #expect(fl_slot_lift(handle, low).error == EACCES)
        #expect(fl_is_readable(low) && fl_is_readable(base - 1))
        fl_debug_fail(.FL_SITE_SHRINK_GUARD, 0, 0)
        #expect(fl_slot_extend(handle, end).error == 0)
        expectBounds(handle, low: end, "extended after a refused lift")
    }
}

@Suite struct SlotTests {
    @Suite struct WithoutAccess {
        @Test(arguments: Subject.all(.FL_GUARD_PROT_NONE)) private func aHandleHoldsItsBytesAndNoOther(subject: Subject)
            async
        {
            await #expect(processExitsWith: .success) { [subject] in Check.handle(subject) }
        }

        @Test(arguments: Subject.all(.FL_GUARD_PROT_NONE)) private func theBoundsAreGuardedThroughALife(
            subject: Subject
        ) async {
            await #expect(processExitsWith: .success) { [subject] in Check.life(subject) }
        }

        @Test(arguments: Subject.all(.FL_GUARD_PROT_NONE))
        private func aSlotInQuarantineIsClosedUntilLaterOnesPushItOut(
            subject: Subject
        ) async {
            await #expect(processExitsWith: .success) { [subject] in Check.quarantine(subject) }
        }

        @Test(arguments: Subject.all(.FL_GUARD_PROT_NONE)) private func aQuarantineThatIsRefusedIsMadeAnotherWay(
            subject: Subject
        )
            async
        {
            await #expect(processExitsWith: .success) { [subject] in Check.refusedQuarantine(subject) }
        }

        @Test(arguments: Subject.all(.FL_GUARD_PROT_NONE)) private func aSlotThatCannotBeOpenedAgainIsLost(
            subject: Subject
        )
            async
        {
            await #expect(processExitsWith: .success) { [subject] in Check.refusedOpening(subject) }
        }

        @Test(arguments: Subject.all(.FL_GUARD_PROT_NONE)) private func theOldestInQuarantineIsUsedWhereThereIsNoOther(
            subject: Subject
        )
            async
        {
            await #expect(processExitsWith: .success) { [subject] in Check.shortage(subject) }
        }

        @Test(arguments: Subject.all(.FL_GUARD_PROT_NONE)) private func aReleasedSlotIsTheNextOneAndReadsAsZeros(
            subject: Subject
        ) async {
            await #expect(processExitsWith: .success) { [subject] in Check.reuse(subject) }
        }

        @Test(arguments: Subject.all(.FL_GUARD_PROT_NONE)) private func aRefusalLeavesTheSlotAsItWas(subject: Subject)
            async
        {
            await #expect(processExitsWith: .success) { [subject] in Check.refusal(subject) }
        }
    }

    @Suite(.needs(.guardPages)) struct GuardPages {
        @Test(arguments: Subject.all(.FL_GUARD_PAGES)) private func aHandleHoldsItsBytesAndNoOther(subject: Subject)
            async
        {
            await #expect(processExitsWith: .success) { [subject] in Check.handle(subject) }
        }

        @Test(arguments: Subject.all(.FL_GUARD_PAGES)) private func theBoundsAreGuardedThroughALife(subject: Subject)
            async
        {
            await #expect(processExitsWith: .success) { [subject] in Check.life(subject) }
        }

        @Test(arguments: Subject.all(.FL_GUARD_PAGES)) private func aSlotInQuarantineIsClosedUntilLaterOnesPushItOut(
            subject: Subject
        ) async {
            await #expect(processExitsWith: .success) { [subject] in Check.quarantine(subject) }
        }

        @Test(arguments: Subject.all(.FL_GUARD_PAGES)) private func aQuarantineThatIsRefusedIsMadeAnotherWay(
            subject: Subject
        )
            async
        {
            await #expect(processExitsWith: .success) { [subject] in Check.refusedQuarantine(subject) }
        }

        @Test(arguments: Subject.all(.FL_GUARD_PAGES)) private func aSlotThatCannotBeOpenedAgainIsLost(subject: Subject)
            async
        {
            await #expect(processExitsWith: .success) { [subject] in Check.refusedOpening(subject) }
        }

        @Test(arguments: Subject.all(.FL_GUARD_PAGES)) private func theOldestInQuarantineIsUsedWhereThereIsNoOther(
            subject: Subject
        )
            async
        {
            await #expect(processExitsWith: .success) { [subject] in Check.shortage(subject) }
        }

        @Test(arguments: Subject.all(.FL_GUARD_PAGES)) private func aReleasedSlotIsTheNextOneAndReadsAsZeros(
            subject: Subject
        ) async {
            await #expect(processExitsWith: .success) { [subject] in Check.reuse(subject) }
        }

        @Test(arguments: Subject.all(.FL_GUARD_PAGES)) private func aRefusalLeavesTheSlotAsItWas(subject: Subject) async
        {
            await #expect(processExitsWith: .success) { [subject] in Check.refusal(subject) }
        }
    }
}
