// Overflows among the frames of code that others wrote: a replaced allocator, a callback without an unwind table.
import CShim
import Faultline
import Glibc
import TestSupport

/// Recursion that allocates at each level: most of what overflows is the allocator.
@inline(never) private func allocate(_ depth: Int, _ size: Int, _ kept: UnsafeMutablePointer<Int>) -> Int {
    let small = malloc(size + depth % 512)!
    let large = depth % 64 == 0 ? realloc(malloc(size)!, 40_000 + 8 * size) : nil
    free(small)
    free(large)
    if keep(depth) == .max { return 0 }
    return allocate(depth + 1, size, kept) &+ kept.pointee
}

private func allocateForever(below shift: Int, _ size: Int) {
    var kept = 1
    withUnsafeTemporaryAllocation(byteCount: 16 * shift + 16, alignment: 16) { _ in _ = allocate(0, size, &kept) }
}

/// Memory of every size class, from every cache that the allocator has.
private func allocatorWorks() {
    var blocks: [UnsafeMutableRawPointer] = []
    for size in stride(from: 8, to: 100_000, by: 1_237) {
        for _ in 0..<20 { blocks.append(malloc(size)!) }
    }
    for block in blocks { free(block) }
}

nonisolated(unsafe) private var comparisons = 0
/// Levels of the recursion in the first comparison.
nonisolated(unsafe) private var levels = 0

@inline(never) private func descend(_ depth: Int) -> Int {
    if depth == 0 { return 0 }
    return descend(depth - 1) &+ keep(1)
}

private func recurseOnce(_: UnsafeRawPointer?, _: UnsafeRawPointer?) -> CInt {
    comparisons += 1
    return comparisons == 1 ? CInt(descend(levels) == -1 ? 0 : 1) : 1
}

let foreignCodeScenarios: [String: Scenario] = [
    // contain-allocating COUNT
    "contain-allocating": { arguments in
        let count = Int(arguments[0])!
        say("malloc of \(String(cString: fl_image_of(UInt(bitPattern: dlsym(nil, "malloc"))).path!))")
        var seed: UInt64 = 1
        for round in 0..<count {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let text = outcome(.init(maximum: 48 << 10, isIsolated: true)) {
                allocateForever(below: Int(seed >> 55), Int(seed >> 40 & 0x3ff))
            }
            require(text.hasPrefix("fault: stack overflow"), text)
            // On another thread too: its cache of free memory was filled under the same locks.
            if round % 100 == 0 { onThread { allocatorWorks() } }
        }
        allocatorWorks()
        for _ in 0..<8 { onThread { allocatorWorks() } }
        say("contained=\(count)")
    },
    // overflow-in-comparator FUNCTION COMPARATOR LEVELS: the library's function either is left when it has finished, or
    // the process ends.
    "overflow-in-comparator": { arguments in
        let compare = ts_comparator_named(arguments[1])!
        levels = Int(arguments[2])!
        ts_set_comparator_hook(recurseOnce)
        nonisolated(unsafe) var tree: UnsafeMutableRawPointer?
        nonisolated(unsafe) var numbers = [3, 2, 1]
        let text = outcome(.init(strategy: .fault, maximum: 1 << 20, reservation: 8 << 20, isIsolated: true)) {
            switch arguments[0] {
            case "tsearch":
                // The comparator is not called for the first.
                for key in 1...2 { tsearch(UnsafeRawPointer(bitPattern: key)!, &tree, compare) }
            case "lfind":
                var count = numbers.count
                lfind([9], numbers, &count, MemoryLayout<Int>.size, compare)
            default: qsort(&numbers, numbers.count, MemoryLayout<Int>.size, compare)
            }
        }
        switch arguments[0] {
        case "tsearch":
            comparisons = 1
            let found = tfind(UnsafeRawPointer(bitPattern: 2)!, &tree) { $0 == $1 ? 0 : 1 }
            require(found != nil, "the node is missing")
        case "lfind": require(comparisons == 3, "\(comparisons) comparisons")
        default: require(numbers == [1, 2, 3], "\(numbers)")
        }
        say(text)
    },
]
