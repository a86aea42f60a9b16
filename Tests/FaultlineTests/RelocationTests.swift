// Each kind of pointer holder, at many depths, under each legal pair of mover and guard.
import CShim
import Faultline
import TestNeeds
import TestSupport
import Testing

/// What keeps the address of a local while the stack moves below it.
private enum Holder: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case inoutArgument = "inout"
    case closureContext = "closure context"
    case unsafePointer = "unsafe pointer to a local"
    case arrayOfPointers = "array of pointers to locals"
    case bufferEnd = "one past the end of a buffer"
    case openAccess = "open access of a class property"
    case heapPointer = "pointer kept in the heap"
    case generalRegisters = "general registers"
    case vectorRegisters = "vector registers"
    case stackEnd = "one past the end of the stack"
    case redZone = "red zone"
    var testDescription: String { rawValue }
}

/// Doubles the stack or more, whatever it has: touches as many pages as are usable now.
@inline(never) private func forceMove() {
    let stack = ts_running_stack()!
    touch(pages: Int(stack.pointee.base - stack.pointee.low) / 4096 + 1)
}

/// Recurses `depth` frames, moves the stack there, then calls `body`.
@inline(never) private func below(_ depth: Int, _ place: inout Int, _ body: (inout Int) -> Void) {
    if depth == 0 {
        forceMove()
        body(&place)
        return
    }
    below(depth - 1, &place, body)
    place += 1
}

@inline(never) private func recurse(_ depth: Int, _ body: () -> Void) {
    if depth == 0 {
        forceMove()
        body()
        return
    }
    recurse(depth - 1, body)
    _ = keep(depth)
}

private final class Heap {
    var pointer: UnsafeMutablePointer<Int>?
    var number = 0
}

/// Whether the holder's pointers followed the stack at `depth`.
private func follows(_ holder: Holder, depth: Int) -> Bool {
    switch holder {
    case .inoutArgument:
        var local = 5
        below(depth, &local) { $0 *= 2 }
        return local == 10 + depth
    case .closureContext:
        var local = 5
        var other = [1, 2, 3]
        recurse(depth) {
            local += 1
            other.append(local)
        }
        return local == 6 && other == [1, 2, 3, 6]
    case .unsafePointer:
        var local = 5
        withUnsafeMutablePointer(to: &local) { pointer in
            recurse(depth) { pointer.pointee += 1 }
            pointer.pointee += 1
        }
        return local == 7
    case .arrayOfPointers:
        return withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<Int>.self, capacity: 8) { pointers in
            withUnsafeTemporaryAllocation(of: Int.self, capacity: 8) { numbers in
                for n in 0..<8 {
                    numbers[n] = n
                    pointers[n] = numbers.baseAddress! + n
                }
                recurse(depth) { for n in 0..<8 { pointers[n].pointee += 10 } }
                return Array(numbers) == (10..<18).map { $0 }
                    && (0..<8).allSatisfy { pointers[$0] == numbers.baseAddress! + $0 }
            }
        }
    case .bufferEnd:
        return withUnsafeTemporaryAllocation(of: Int.self, capacity: 8) { numbers in
            for n in 0..<8 { numbers[n] = n }
            let end = numbers.baseAddress! + 8
            recurse(depth) {
                var place = end
                for n in (0..<8).reversed() {
                    place -= 1
                    place.pointee += n
                }
            }
            return Array(numbers) == (0..<8).map { 2 * $0 } && end == numbers.baseAddress! + 8
        }
    case .openAccess:
        let heap = keep(Heap())
        func inside(_ number: inout Int) {
            recurse(depth) { number += 1 }
            number += 1
        }
        inside(&heap.number)
        withUnsafeMutablePointer(to: &heap.number) { $0.pointee += 1 }
        return heap.number == 3
    case .heapPointer:
        let heap = keep(Heap())
        var local = 5
        withUnsafeMutablePointer(to: &local) { pointer in
            heap.pointer = pointer
            recurse(depth) { heap.pointer!.pointee += 1 }
            heap.pointer!.pointee += 1
        }
        return local == 7
    case .generalRegisters:
        var right = false
        recurse(depth) { right = ts_general_registers(usablePages() + 1) }
        return right
    case .vectorRegisters:
        var right = false
        recurse(depth) { right = ts_vector_registers(usablePages() + 1) }
        return right
    case .stackEnd:
        var right = false
        recurse(depth) { right = ts_one_past_end(usablePages() + 1) }
        return right
    case .redZone:
        var right = false
        recurse(depth) { right = ts_red_zone() }
        return right
    }
}

private func usablePages() -> Int {
    let stack = ts_running_stack()!
    return Int(stack.pointee.base - stack.pointee.low) / 4096
}

extension Stacks {
    // Most pointers of AddressSanitizer's frames lead to its fake stack.
    @Suite(.needs(.noSanitizer)) struct Relocation {
        @Test(arguments: Holder.allCases, MoverCase.all)
        fileprivate func pointersFollowTheStack(_ holder: Holder, _ mover: MoverCase) throws {
            for depth in [1, 10, 100, 1000, 10_000] {
                let (right, statistics) = try measured(try mover.configuration()) { follows(holder, depth: depth) }
                #expect(right, "at depth \(depth)")
                #expect(statistics.allMoves >= 1, "at depth \(depth)")
                #expect(statistics.moves[mover.mover]! >= 1, "at depth \(depth): the chosen mover was never used")
                if holder == .heapPointer { #expect(statistics.forwards >= 1, "at depth \(depth)") }
            }
        }

        @Test(arguments: MoverCase.all) func aHeapPointerIsForwardedAcrossSeveralMoves(_ mover: MoverCase) throws {
            let (value, statistics) = try measured(try mover.configuration()) { () -> Int in
                let heap = keep(Heap())
                var local = 0
                withUnsafeMutablePointer(to: &local) { heap.pointer = $0 }
                for pages in [4, 40, 180, 1700] {  // 64 KiB, 256 KiB, 1 MiB, 8 MiB and 64 MiB
                    touch(pages: pages)
                    heap.pointer!.pointee += 1
                }
                return withUnsafeMutablePointer(to: &local) { $0.pointee }
            }
            #expect(value == 4)
            #expect(statistics.allMoves >= 3 && statistics.forwards >= 3)
        }

        @Test func movesAfterASuspensionRelocateWhatWasSuspended() throws {
            let co = try Coroutine<Int, Int, Int>(configuration: .init(strategy: .faultMove, initial: 4096)) {
                (co: borrowing _, first) in
                var local = first
                func grow(_ depth: Int, _ place: inout Int) throws {
                    place += try co.suspend(place)
                    if depth > 0 { try grow(depth - 1, &place) }
                    place += 1
                }
                try grow(500, &local)
                touch(pages: 1000)
                return local
            }
            var expected = 1
            var input = 1
            while case .suspended(let value) = try co.resume(input) {
                #expect(value == expected)
                input = 2
                expected += 2
            }
            #expect(co.statistics.allMoves >= 2)
            #expect(expected == 1 + 501 * 2)
        }

        /// There is no larger slot to move to.
        @Test func inTheLargestSlotAllIsUsableAtOnce() throws {
            let configuration = StackConfiguration(strategy: .faultMove, initial: 100 << 20)
            let (_, statistics) = try measured(configuration) { touch(pages: 120 << 8) }
            #expect(statistics.allMoves == 0 && statistics.overflows == 0)
        }

        private func movers(_ kind: StackGuard, live pages: Int) throws -> FaultStatistics {
            let initial = pages * 4096 + 8192
            return try measured(.init(strategy: .faultMove, initial: initial, guardKind: kind)) {
                touch(pages: pages + 3)
            }.1
        }

        @Test func theMoverIsChosenBySize() throws {
            #expect(try movers(.protNone, live: 2).moves[.copy] == 1)
            #expect(try movers(.protNone, live: 100).moves[.mremap] == 1)
        }

        @Test(.needs(.guardPages), .needs(.uffdioMove)) func theMoverIsChosenByCapability() throws {
            #expect(try movers(.guardPages, live: 2).moves[.uffdioMove] == 1)
            #expect(try movers(.guardPages, live: 100).moves[.uffdioMove] == 1)
        }

        @Test(arguments: MoverCase.all) func whatLiesBelowTheStackPointerIsNoAddress(_ mover: MoverCase) throws {
            // A number in the slot's address range far below everything live must stay, one above must follow.
            let kept: (Bool, Bool) = try withStack(try mover.configuration(initial: 16 << 10)) {
                let stack = ts_running_stack()!
                let base = UInt(stack.pointee.base)
                var numbers = (below: UInt(fl_stack_slot_low(stack)) + 0x27, above: base - 8)
                let hidden = ~numbers.below  // no address, whatever the stack does
                withUnsafeMutablePointer(to: &numbers) { _ in forceMove() }
                return (numbers.below == ~hidden, numbers.above == UInt(stack.pointee.base) - 8)
            }
            #expect(kept.0)
            #expect(kept.1)
        }

        @Test func anIllegalPairOfMoverAndGuardThrows() throws {
            #expect(throws: StackError.self) {
                try withStack(.init(strategy: .faultMove, guardKind: .protNone, mover: .uffdioMove)) {}
            }
        }
    }
}
