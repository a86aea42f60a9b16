// One thing to time. A case is not Sendable: all cases of a measurement run on the thread that started it.

/// One thing to time in an ``InterleavedMeasurement``.
public struct MeasurementCase {
    /// How a batch of operations is run and timed.
    enum Body {
        /// The measurement reads its clock before and after.
        case timed((_ iterations: Int) throws -> Void)
        /// The body returns the nanoseconds that its operations took.
        case selfTimed((_ iterations: Int) throws -> UInt64)
    }

    /// What the case is called in results; unique within a measurement.
    public let name: String

    /// At most this many iterations in one batch, for bodies that keep memory per iteration; `nil` is no limit.
    public let maximumIterations: Int?

    /// The name of the case this one is an identical copy of, when it is a null control.
    public let isNullControlOf: String?

    let body: Body
    let setup: (() throws -> Void)?
    let teardown: (() throws -> Void)?

    /// A case that the measurement times.
    ///
    /// - Parameters:
    ///   - name: What the case is called in results.
    ///   - maximumIterations: At most this many iterations in one batch, 1 or more; `nil` is no limit.
    ///   - setup: Runs before each batch, outside the timed region.
    ///   - teardown: Runs after each batch, outside the timed region, also when the body threw.
    ///   - body: Performs the operation `iterations` times. An error ends the measurement.
    public init(
        _ name: String, maximumIterations: Int? = nil, setup: (() throws -> Void)? = nil,
        teardown: (() throws -> Void)? = nil, body: @escaping (_ iterations: Int) throws -> Void
    ) {
        self.init(
            name: name, maximumIterations: maximumIterations, isNullControlOf: nil, body: .timed(body),
            setup: setup, teardown: teardown)
    }

    /// A case that times itself, because its setup must be interleaved with its operations.
    ///
    /// - Parameters:
    ///   - name: What the case is called in results.
    ///   - maximumIterations: At most this many iterations in one batch, 1 or more; `nil` is no limit.
    ///   - setup: Runs before each batch.
    ///   - teardown: Runs after each batch, also when the body threw.
    ///   - body: Performs the operation `iterations` times and returns the sum of the timed parts in nanoseconds, on
    ///     the clock of the measurement if it is to be compared with timed cases. An error ends the measurement.
    public init(
        selfTimed name: String, maximumIterations: Int? = nil, setup: (() throws -> Void)? = nil,
        teardown: (() throws -> Void)? = nil, body: @escaping (_ iterations: Int) throws -> UInt64
    ) {
        self.init(
            name: name, maximumIterations: maximumIterations, isNullControlOf: nil, body: .selfTimed(body),
            setup: setup, teardown: teardown)
    }

    private init(
        name: String, maximumIterations: Int?, isNullControlOf: String?, body: Body,
        setup: (() throws -> Void)?, teardown: (() throws -> Void)?
    ) {
        self.name = name
        self.maximumIterations = maximumIterations
        self.isNullControlOf = isNullControlOf
        self.body = body
        self.setup = setup
        self.teardown = teardown
    }

    /// An identical copy under the name "`name` null": its ratio to the original shows the noise floor.
    public func nullControl() -> MeasurementCase {
        MeasurementCase(
            name: "\(name) null", maximumIterations: maximumIterations, isNullControlOf: name, body: body,
            setup: setup, teardown: teardown)
    }

    /// What one batch took.
    struct Batch {
        /// Nanoseconds of the timed part.
        var timed: UInt64
        /// Nanoseconds of everything, setup and teardown included, elapsed.
        var elapsed: UInt64
    }

    /// Runs one batch: setup, the timed body, teardown.
    func run(iterations: Int, clock: MeasurementClock) throws -> Batch {
        let began = MeasurementClock.monotonic.now()
        try setup?()
        let timed: UInt64
        do {
            switch body {
            case .timed(let operation):
                let start = clock.now()
                try operation(iterations)
                timed = clock.now() - start
            case .selfTimed(let operation):
                timed = try operation(iterations)
            }
        } catch {
            // The body's error is the one to report, whatever cleaning up after it says.
            try? teardown?()
            throw error
        }
        try teardown?()
        return Batch(timed: timed, elapsed: MeasurementClock.monotonic.now() - began)
    }
}
