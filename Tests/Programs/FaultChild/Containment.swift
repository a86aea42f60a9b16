// Overflows and nil dereferences that end a coroutine and nothing else.
import CShim
import Faultline
import Glibc
import TestSupport

private struct Pair<A, B> { var a: A, b: B }

/// A type that differs at each level, so that its metadata must be made.
private func nestedMetadata<T>(_ type: T.Type, _ depth: Int) -> Int {
    if depth == 0 { return MemoryLayout<T>.size }
    return nestedMetadata(Pair<T, Int8>.self, depth - 1) &+ keep(1)
}

nonisolated(unsafe) private let null = fopen("/dev/null", "w")!

/// One level that calls into the libraries; never inlined, recursing until the stack ends.
@inline(never) private func level(_ kind: Int, _ depth: Int, _ seed: inout UInt64) -> Int {
    switch kind {
    case 0:
        let memory = malloc(64 + depth % 4000)!
        memset(memory, 1, 64)
        free(memory)
    case 1:
        print("level", depth, Double(depth) * 1.5)
    case 2:
        var array: [String] = []
        array.append("a string too long to be small, at level \(depth)")
        _ = keep(array)
    case 3:
        _ = keep("\(depth) \(Double(depth) / 3) \(Optional(depth) as Any)")
    case 4:
        // A fresh generic type for the runtime to look up.
        _ = keep(nestedMetadata(Int8.self, depth % 12))
    case 5:
        _ = withVaList([depth, 1.5]) { vfprintf(null, "%d %f\n", $0) }
    case 6:
        let any: Any = keep(depth % 2 == 0 ? depth as Any : "text" as Any)
        _ = keep((any as? Int) ?? (any as? String)?.count)
    default:
        var numbers = Set<Int>()
        for n in 0..<10 { numbers.insert(n ^ depth) }
        _ = keep(numbers.count)
    }
    if keep(depth) == .max { return 0 }
    return level(kind, depth + 1, &seed) &+ keep(1)
}

/// Frames of different sizes first, so that the guard is hit at another place each time.
private func shifted(_ kind: Int, _ shift: Int, _ seed: inout UInt64) -> Int {
    withUnsafeTemporaryAllocation(byteCount: 16 * shift + 16, alignment: 16) { _ in level(kind, 0, &seed) &+ keep(1) }
}

@inline(never) private func numbers(_ depth: Int) -> Float80 {
    let value = strtold("123456789.125e-3", nil)
    return keep(depth) == .max ? 0 : numbers(depth + 1) + value
}

private func shiftedNumbers(_ shift: Int) -> Float80 {
    withUnsafeTemporaryAllocation(byteCount: 16 * shift + 16, alignment: 16) { _ in numbers(0) }
}

private func slotsInUse() -> UInt64 {
    (0..<fl_slot_size.FL_SLOT_SIZES.rawValue).reduce(0) { $0 + fl_slots_in_use(fl_slot_size(rawValue: $1)!) }
}

/// Page tables, resident memory and address space of this process in KiB, and its mappings.
private func processMemory() -> [String: Int] {
    var found = ["mappings": mappingCount()]
    for name in ["VmPTE", "VmRSS", "VmSize"] { found[name] = statusField(name) >> 10 }
    return found
}

private func monotonic() -> Int {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec * 1_000_000_000 + now.tv_nsec
}

let containmentScenarios: [String: Scenario] = [
    // contain STRATEGY COUNT
    "contain": { arguments in
        let strategy = StackStrategy(rawValue: arguments[0])!
        let count = Int(arguments[1])!
        ts_discard_output()
        let configuration = StackConfiguration(strategy: strategy, maximum: 48 << 10, isIsolated: true)
        var seed: UInt64 = 1
        var inUser = 0
        var inLibrary = 0
        fl_pool_drain()
        let before = slotsInUse()
        let quarantinedBefore = fl_quarantine_count()
        for round in 0..<count {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let shift = Int(seed >> 55)
            let kind = round % 8
            nonisolated(unsafe) var stack: UnsafePointer<fl_stack>?
            do {
                let co = try Coroutine<Void, Void, Int>(configuration: configuration) { co, _ in
                    stack = ts_running_stack()
                    return shifted(kind, shift, &seed)
                }
                do {
                    _ = try co.resume()
                    require(false, "round \(round) returned")
                } catch StackFault.overflow(let overflow) {
                    require(overflow.limit == 48 << 10, "limit \(overflow.limit)")
                    require(overflow.refused == nil, "refused \(overflow.refused!)")
                    // Where the guard was hit, as the report says it: the first address is the instruction.
                    let top = fl_stack_fault(stack!).pointee.ip
                    if fl_code_owner_of(top) == .FL_CODE_USER { inUser += 1 } else { inLibrary += 1 }
                } catch { require(false, "round \(round): \(error)") }
                require(!co.isResumable, "resumable after a fault")
            }
        }
        fl_pool_drain()
        let quarantined = fl_quarantine_count() - quarantinedBefore
        require(quarantined == UInt64(min(count, Int(FL_QUARANTINE_SLOTS))), "\(quarantined) slots in quarantine")
        require(
            slotsInUse() == before + (strategy == .growsDown ? 0 : quarantined),
            "\(slotsInUse()) slots in use, before \(before)")
        // Locks and heap are whole: everything that was overflowing still works, here and on another stack.
        print("still prints", 1.5)
        printfWorks()
        require(try withGrowableStack { sum(to: 50_000) } == 1_250_025_000, "wrong sum")
        for size in [16, 100, 5000, 1 << 20] { free(malloc(size)) }
        say("contained=\(count) in-user=\(inUser) in-library=\(inLibrary)")
    },
    // overflows STRATEGY MAXIMUM COUNT AFTER: how much more the process takes at the end than after some of them. The
    // maximum may be "default". A million by command: .build/release/FaultChild overflows fault default 1000000 10000
    "overflows": { arguments in
        let strategy = StackStrategy(rawValue: arguments[0])!
        let maximum = Int(arguments[1])
        let (count, after) = (Int(arguments[2])!, Int(arguments[3])!)
        if strategy == .growsDown, let maximum {
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &limit)
            limit.rlim_cur = min(max(limit.rlim_cur, rlim_t(maximum)), limit.rlim_max)
            require(setrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &limit) == 0, "no limit")
        }
        let configuration = StackConfiguration(strategy: strategy, maximum: maximum, isIsolated: true)
        let frame = min(max((maximum ?? 8 << 20) / 32, 512), 32 << 10)
        let started = monotonic()
        var earlier: [String: Int] = [:]
        for number in 1...count {
            do {
                try withStack(configuration) { strategy.needsChecks ? ts_descend_checked(frame) : ts_descend(frame) }
                require(false, "\(number) returned")
            } catch StackFault.overflow(let overflow) {
                require(overflow.refused == nil, "\(number) of \(count): \(overflow)")
            } catch { require(false, "\(number) of \(count): \(error)") }
            if number == after { earlier = processMemory() }
        }
        let memory = processMemory()
        for (name, kibibytes) in memory.sorted(by: { $0.key < $1.key }) {
            say("\(name)=\(kibibytes) more=\(max(0, kibibytes - earlier[name]!)) KiB")
        }
        say("quarantine=\(fl_quarantine_count()) nanoseconds=\((monotonic() - started) / count)")
    },
    "qsort-forever": { _ in
        say(outcome(.init(maximum: 256 << 10, isIsolated: true)) { sortForever() })
    },
    // nil-contained STRATEGY
    "nil-contained": { arguments in
        let strategy = StackStrategy(rawValue: arguments[0])!
        for round in 0..<200 {
            do {
                try withStack(.init(strategy: strategy, maximum: 1 << 20, containsNilDereference: true)) {
                    _ = sum(to: round * 10)
                    ts_read_byte(UInt(16 + round))
                }
                require(false, "survived")
            } catch StackFault.nilDereference(let fault) {
                require(fault.address == UInt(16 + round), "address \(fault.address)")
                require(fault.instruction != 0, "no instruction")
                if round == 0 {
                    require(fault.backtrace.first?.symbol == "ts_read_byte", "\(fault.backtrace)")
                }
            }
        }
        say("contained")
    },
    // A nil dereference that strikes in libc may hold a lock there: not contained.
    "nil-in-library": { _ in
        try withStack(.init(maximum: 1 << 20, containsNilDereference: true)) {
            _ = memset(keep(UnsafeMutableRawPointer(bitPattern: 16)!), 1, keep(100))
        }
    },
    "overflow-message": { arguments in
        let strategy = StackStrategy(rawValue: arguments[0])!
        try withStack(.init(strategy: strategy, maximum: 1 << 20)) { _ = recurseForever() }
    },
    // The last no-abandon frame returns its result in an x87 register, of which there are eight.
    "contain-x87": { _ in
        for shift in 0..<200 {
            let text = outcome(.init(maximum: 48 << 10, isIsolated: true)) { _ = shiftedNumbers(shift) }
            require(text.hasPrefix("fault: stack overflow"), text)
            let product = keep(Float80(2)) * keep(Float80(3)) + keep(Float80(1))
            require(product == 7, "\(product) after \(shift)")
        }
        say("contained")
    },
    // The overflow strikes what C++ does to throw, wherever it can.
    "contain-throwing": { _ in
        func overflows(_ depth: Int, _ bytes: Int) -> Bool {
            let text = outcome(.init(maximum: 48 << 10, isIsolated: true)) { _ = throwBelow(depth, bytes) }
            require(text == "returned" || text.hasPrefix("fault: stack overflow"), text)
            require(ts_uncaught_exceptions() == 0 && !ts_handles_exception(), "an exception of the abandoned")
            return text != "returned"
        }
        var (fits, tooDeep) = (0, 4096)
        while tooDeep - fits > 1 {
            let middle = (fits + tooDeep) / 2
            if overflows(middle, 16) { tooDeep = middle } else { fits = middle }
        }
        require(fits > 0, "no limit was met")
        for depth in max(0, fits - 16)...fits + 150 {
            for bytes in stride(from: 16, to: 272, by: 16) { _ = overflows(depth, bytes) }
        }
        say("contained")
    },
    // Several threads overflow at once.
    "contain-on-threads": { _ in
        var threads: [pthread_t] = []
        for _ in 0..<8 {
            var thread = pthread_t()
            let error = pthread_create(
                &thread, nil,
                { _ in
                    var seed: UInt64 = UInt64(ts_thread_id())
                    for round in 0..<200 {
                        let text = outcome(.init(maximum: 48 << 10, isIsolated: true)) {
                            _ = shifted(round % 8, round, &seed)
                        }
                        require(text.hasPrefix("fault: stack overflow"), text)
                    }
                    return nil
                }, nil)
            require(error == 0, "no thread")
            threads.append(thread)
        }
        ts_discard_output()
        for thread in threads { pthread_join(thread, nil) }
        say("contained")
    },
]

private func printfWorks() {
    withVaList([1]) { _ = vfprintf(null, "%d\n", $0) }
    fflush(null)
}

private func sortForever() {
    var numbers = Array((0..<100).reversed())
    qsort(&numbers, numbers.count, MemoryLayout<Int>.size) { _, _ in
        sortForever()
        return keep(0)
    }
}

/// Throws and catches, in frames that end `bytes` below those of `depth` calls.
@inline(never) private func throwBelow(_ depth: Int, _ bytes: Int) -> Int {
    if keep(depth) > 0 { return throwBelow(depth - 1, bytes) + keep(depth) }
    return withUnsafeTemporaryAllocation(byteCount: bytes, alignment: 16) { room in
        room[0] = 1
        require(ts_catch_around(5, { _ in }, nil) == 5, "another exception")
        return Int(room[0])
    }
}
