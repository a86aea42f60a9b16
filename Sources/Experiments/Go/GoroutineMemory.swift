// Where in a Go program's memory words are that hold an address of a goroutine's stack. The program (`pointers.go`)
// says where stacks, records of the runtime and pieces of the heap are, and waits; its memory is read by way of /proc.
//
// Invariants: a word counts once. What cannot be told from a number, or from what was left there, is said to be
// undecided; it is neither a pointer nor stale. What the kernel holds while a goroutine is in a system call is in no
// memory of the program and not seen: Go does not move such a stack (isShrinkStackSafe in stack.go).

import Glibc
import Measurement
import Peers
import Processes

/// Where a word lies that holds an address of a stack.
package enum AddressPlace: Hashable, Sendable {
    /// What is known of such a word.
    package enum Kind: String, CaseIterable, Sendable {
        /// In frames of the same stack.
        case own
        /// In a record of the runtime that points to what is on the stack.
        case record
        /// In what says where the stack is and how far it is used.
        case bookkeeping
        /// Left behind: in memory that is not in use, or an address below the stack pointer.
        case stale
        /// A pointer, a number, or left behind in memory that is in use.
        case undecided
    }

    case own
    case record(String)
    case bookkeeping(String)
    case stale
    case undecided(String)

    package var kind: Kind {
        switch self {
        case .own: .own
        case .record: .record
        case .bookkeeping: .bookkeeping
        case .stale: .stale
        case .undecided: .undecided
        }
    }

    /// A field as Go calls it, or a part of memory.
    package var name: String {
        switch self {
        case .own: "frames of the same stack"
        case .record(let name), .bookkeeping(let name), .undecided(let name): name
        case .stale: "memory that is not in use"
        }
    }
}

/// What a Go program says of its memory.
package struct GoroutineMemory: Sendable {
    struct Stack: Sendable {
        enum State: String { case waits, runs, dead, thread }

        let bounds: Range<UInt64>
        /// What is below it is not in use.
        let pointer: UInt64
        let state: State
    }

    struct Span: Sendable {
        /// mSpanInUse of mheap.go.
        static let objects: UInt64 = 1

        let bounds: Range<UInt64>
        let state: UInt64
        let size: UInt64
        /// Of each object whether it is in use.
        let inUse: [Bool]
    }

    /// A field of a record.
    struct Named: Sendable {
        let bounds: Range<UInt64>
        let place: AddressPlace
    }

    /// Fields of a goroutine's record that say where its stack is. `sched` has the saved registers.
    private static let bookkeeping: Set<String> = [
        "stack", "stackguard0", "stackguard1", "stktopsp", "sched", "syscallsp", "syscallbp", "syscallpc",
    ]
    /// Records of the allocator, of which some begin or end where a stack does.
    private static let allocator: Set<String> = ["mspan", "p"]

    package let process: pid_t
    /// Goroutines that wait.
    package var goroutines: Int { waiting.count }
    private let waiting: [Stack]
    private let others: [Stack]
    private let spans: [Span]
    private let named: [Named]

    /// Reads what `pointers.go` answered.
    ///
    /// - Throws: ``MeasurementFailure`` where that is something else.
    package init(report: String) throws(MeasurementFailure) {
        var process: pid_t?
        var fields: [Substring: [(name: Substring, offset: UInt64, size: UInt64)]] = [:]
        var stacks: [Stack] = []
        var spans: [Span] = []
        var records: [(kind: Substring, address: UInt64)] = []
        for part in report.split(separator: ";") {
            let words = part.split(separator: " ")
            let numbers = words.map { UInt64($0) }
            func range(_ first: Int) -> Range<UInt64>? {
                guard words.count > first + 1, let low = numbers[first], let high = numbers[first + 1], low <= high
                else { return nil }
                return low..<high
            }
            switch words.first {
            case "process" where words.count == 2:
                process = pid_t(words[1])
            case "type" where words.count > 1:
                fields[words[1]] = words.dropFirst(2).compactMap { word in
                    let parts = word.split(separator: ":")
                    guard parts.count == 3, let offset = UInt64(parts[1]), let size = UInt64(parts[2]) else {
                        return nil
                    }
                    return (parts[0], offset, size)
                }
            case "at" where words.count == 3:
                if let address = numbers[2] { records.append((words[1], address)) }
            case "goroutine" where words.count == 5:
                if let bounds = range(1), let pointer = numbers[3], let state = Stack.State(rawValue: "\(words[4])") {
                    stacks.append(Stack(bounds: bounds, pointer: pointer, state: state))
                }
            case "span" where words.count >= 5:
                if let bounds = range(1), let state = numbers[3], let size = numbers[4] {
                    let inUse = words.count > 5 ? words[5].utf8.map { $0 == UInt8(ascii: "1") } : []
                    spans.append(Span(bounds: bounds, state: state, size: size, inUse: inUse))
                }
            default:
                throw MeasurementFailure("a Go program says '\(part.prefix(80))' of its memory")
            }
        }
        guard let process, stacks.contains(where: { $0.state == .waits }), !spans.isEmpty, !records.isEmpty else {
            throw MeasurementFailure("a Go program does not say what its memory is: '\(report.prefix(80))'")
        }
        self.init(
            process: process, stacks: stacks, spans: spans,
            named: records.flatMap { record in
                (fields[record.kind] ?? []).map { field in
                    let name = "\(record.kind).\(field.name)"
                    let start = record.address + field.offset
                    let tells =
                        Self.allocator.contains("\(record.kind)")
                        || record.kind == "g" && Self.bookkeeping.contains("\(field.name)")
                    return Named(
                        bounds: start..<start + field.size, place: tells ? .bookkeeping(name) : .record(name))
                }
            })
    }

    init(process: pid_t, stacks: [Stack], spans: [Span], named: [Named]) {
        func sorted(_ stacks: [Stack]) -> [Stack] {
            stacks.filter { !$0.bounds.isEmpty }.sorted { $0.bounds.lowerBound < $1.bounds.lowerBound }
        }
        self.process = process
        waiting = sorted(stacks.filter { $0.state == .waits })
        others = sorted(stacks.filter { $0.state == .runs || $0.state == .thread })
        self.spans = spans.sorted { $0.bounds.lowerBound < $1.bounds.lowerBound }
        self.named = named.filter { !$0.bounds.isEmpty }.sorted { $0.bounds.lowerBound < $1.bounds.lowerBound }
    }

    /// The element whose bounds contain `address`; the bounds ascend and do not overlap.
    private static func find<Element>(
        _ address: UInt64, _ elements: [Element], _ bounds: (Element) -> Range<UInt64>
    ) -> Element? {
        var (low, high) = (0, elements.count)
        while low < high {
            let middle = (low + high) / 2
            if bounds(elements[middle]).upperBound <= address { low = middle + 1 } else { high = middle }
        }
        return low < elements.count && bounds(elements[low]).contains(address) ? elements[low] : nil
    }

    /// What a word at `address` with this value is; nil where the value is no address of the stack of a goroutine that
    /// waits, and for the frames of the goroutine that made the report.
    package func place(of value: UInt64, at address: UInt64) -> AddressPlace? {
        guard let stack = Self.find(value, waiting, \.bounds) else { return nil }
        let isUsed = value >= stack.pointer
        if stack.bounds.contains(address) { return address >= stack.pointer && isUsed ? .own : .stale }
        let place = Self.find(address, named, \.bounds)?.place
        // The bounds of a stack and of its memory are below what is used of it.
        if case .bookkeeping? = place { return place }
        guard isUsed else { return .stale }
        if let place { return place }
        if let holder = Self.find(address, waiting, \.bounds) {
            return address >= holder.pointer ? .undecided("frames of other goroutines") : .stale
        }
        if let holder = Self.find(address, others, \.bounds) {
            return holder.state == .runs ? nil : .undecided("stacks of threads")
        }
        if let span = Self.find(address, spans, \.bounds) {
            guard span.state == Span.objects, span.size > 0 else { return .stale }
            let index = Int((address - span.bounds.lowerBound) / span.size)
            return index < span.inUse.count && span.inUse[index] ? .undecided("objects of the heap") : .stale
        }
        // Pages between those that are used for something.
        if let first = spans.first, let last = spans.last,
            (first.bounds.lowerBound..<last.bounds.upperBound).contains(address)
        {
            return .stale
        }
        // Among them are buffers in which collections keep what they found (gcw.ptrBuf in mgc.go).
        return .undecided("outside of the heap")
    }

    /// Adds the places of `words`, of which the first is at `address`.
    package func count(
        _ words: UnsafeBufferPointer<UInt64>, at address: UInt64, into counts: inout [AddressPlace: Int]
    ) {
        guard let first = waiting.first, let last = waiting.last else { return }
        let low = first.bounds.lowerBound
        let length = last.bounds.upperBound - low
        for index in words.indices where words[index] &- low < length {
            if let place = place(of: words[index], at: address + UInt64(index) * 8) { counts[place, default: 0] += 1 }
        }
    }

    // MARK: the memory of a process

    /// What is in the memory of the program, which must still wait.
    ///
    /// - Throws: ``TracingRefused`` where its memory may not be read.
    package func places() throws -> [AddressPlace: Int] {
        func file(_ name: String) throws -> Int32 {
            let descriptor = open("/proc/\(process)/\(name)", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw TracingRefused(reason: ErrorNumber.text(errno)) }
            return descriptor
        }
        let memory = try file("mem")
        defer { close(memory) }
        let pages = try file("pagemap")
        defer { close(pages) }
        var counts: [AddressPlace: Int] = [:]
        var words = [UInt64](repeating: 0, count: 512)
        for mapping in try Self.writable(process) {
            // Memory that was never touched is not read: Go reserves much more than it uses.
            var entries = [UInt64](repeating: 0, count: (mapping.upperBound - mapping.lowerBound) / 4096)
            let known = entries.withUnsafeMutableBytes {
                pread(pages, $0.baseAddress, $0.count, off_t(mapping.lowerBound / 4096 * 8))
            }
            guard known == entries.count * 8 else { throw TracingRefused(reason: ErrorNumber.text(errno)) }
            // Bits 62 and 63: in swap, in memory (proc_pid_pagemap(5)).
            for (index, entry) in entries.enumerated() where entry >> 62 != 0 {
                let address = mapping.lowerBound + index * 4096
                let count = words.withUnsafeMutableBytes { pread(memory, $0.baseAddress, $0.count, off_t(address)) }
                guard count == 4096 else { throw TracingRefused(reason: ErrorNumber.text(errno)) }
                words.withUnsafeBufferPointer { self.count($0, at: UInt64(address), into: &counts) }
            }
        }
        return counts
    }

    /// Memory that the process can read and write.
    private static func writable(_ process: pid_t) throws -> [Range<Int>] {
        let lines = String(decoding: try Files.read("/proc/\(process)/maps"), as: UTF8.self).split(separator: "\n")
        return lines.compactMap { line in
            let words = line.split(separator: " ")
            guard words.count > 1, words[1].hasPrefix("rw") else { return nil }
            let ends = words[0].split(separator: "-").compactMap { Int($0, radix: 16) }
            return ends.count == 2 && ends[0] <= ends[1] ? ends[0]..<ends[1] : nil
        }
    }
}

extension PeerProgram {
    /// Starts it, the program `pointers`, with `count` goroutines in each way to wait, and looks at its memory.
    ///
    /// - Throws: ``TracingRefused`` where that may not be read; `PeerFailure`; ``MeasurementFailure``.
    package func stackAddresses(_ count: Int) throws -> (goroutines: Int, places: [AddressPlace: Int]) {
        let conversation = try converse()
        defer { conversation.end() }
        let memory = try GoroutineMemory(report: try conversation.ask("pointers \(count)"))
        return (memory.goroutines, try memory.places())
    }
}
