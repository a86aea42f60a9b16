// One growth of a goroutine's stack, as a case beside this library's: Sources/Peers/go/growth.go makes it.

import Measurement
import Peers
import Report

/// A driver of `growth.go` that takes its turns in a measurement.
package final class GoGrowth {
    /// How much it is asked for at once, for each growth that a batch holds: one alone takes too little time for the
    /// goroutine around it.
    package static let atOnce = 16
    /// Larger stacks, in bytes, take long enough by themselves.
    package static let largestAtOnce = 64 << 10

    package let version: String
    private let driver: Conversation

    /// What a growth found: bytes of stack in use, and frames of `growth.go` that were on it.
    package struct Extent {
        package let used: Int
        package let frames: Int
        /// How many pointers each frame of the kind that holds pointers has.
        package static let pointersPerFrame = 16
    }

    /// By case; the same at every growth of a case.
    package private(set) var extents: [String: Extent] = [:]
    /// By case, for each batch: how many pages the kernel supplied in one growth.
    package private(set) var pageFaults: [String: [Double]] = [:]

    /// Starts it. What prevents that is named in the laboratory, and the result is `nil`.
    package static func start(_ toolchain: GoToolchain, _ laboratory: Laboratory) throws -> GoGrowth? {
        try laboratory.step("building the driver for \(toolchain.version)")
        do {
            return GoGrowth(version: toolchain.version, driver: try toolchain.program(.growth).converse())
        } catch let error as PeerUnavailable {
            laboratory.missing("\(toolchain.version) is not measured: \(error)")
            return nil
        }
    }

    private init(version: String, driver: Conversation) {
        self.version = version
        self.driver = driver
    }

    /// A case of growths from `size` bytes to twice that.
    ///
    /// - Parameters:
    ///   - hasPointers: Whether the frames are full of pointers into the stack.
    ///   - isCold: Whether each growth gets memory that is fresh from the kernel. Not each gets a page of its
    ///     own: free stacks in spans that were in use keep theirs.
    package func growth(_ name: String, from size: Int, hasPointers: Bool = false, isCold: Bool = false)
        -> MeasurementCase
    {
        MeasurementCase(selfTimed: name) { [self] count in
            let total = size > Self.largestAtOnce ? count : count * Self.atOnce
            let numbers = try driver.numbers(
                "growth \(total) \(size) \(hasPointers ? 1 : 0) \(isCold ? 1 : 0)", atLeast: 5, attempts: 10)
            guard numbers[1] <= size, numbers[1] > size / 4, numbers[2] == 0 else {
                throw MeasurementFailure(
                    "\(name): \(version) grew with \(numbers[1]) bytes in use instead of almost \(size), and "
                        + "\(numbers[2]) times elsewhere")
            }
            extents[name] = Extent(used: Int(numbers[1]), frames: Int(numbers[3]))
            pageFaults[name, default: []].append(Double(numbers[4]) / Double(total))
            return numbers[0] / UInt64(total / count)
        }
    }

    /// A case of calls in a loop, `steps` above the depth at which a stack of `size` bytes is full. An operation is a
    /// call.
    package func boundary(_ name: String, size: Int, stepsAbove steps: Int) -> MeasurementCase {
        MeasurementCase(selfTimed: name) { [self] count in
            try driver.numbers("boundary 1 \(size) \(count) \(steps)")[0]
        }
    }
}
