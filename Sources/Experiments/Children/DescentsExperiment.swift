// Goes down one stack three times to the same depth, and says what each descent took.

import CProbes
import Faultline
import Measurement
import Workloads

extension Finding {
    /// The median of descents of that turn, in nanoseconds.
    package static func descent(_ turn: Int) -> Finding { Finding("descent-\(turn)") }
}

struct DescentsExperiment: Experiment {
    let name = "descents"

    /// Levels of the recursion: some 32 KiB.
    private static let levels = 256

    /// Options: `strategy`; `count` of stacks, of which each is descended three times.
    func run(_ options: ExperimentOptions, _ found: Found) throws {
        let strategy: StackStrategy = try options.choice("strategy", or: .fault)
        let configuration = StackConfiguration(strategy: strategy)
        let code = try DescentCode(
            strategy.needsChecks ? .checked : .plain,
            hooks: StackCheckHooks(
                morestack: CheckedCode.morestack, allocateStackSpace: CheckedCode.allocateStackSpace))
        var times: [[Double]] = [[], [], []]
        for _ in 0..<(try options.number("count")) {
            StackPool.drain()
            try withStack(configuration) {
                for turn in times.indices {
                    let start = fl_probe_now()
                    _ = code.descent(levels: Self.levels, .calls(1)).run()
                    times[turn].append(Double(fl_probe_now() - start))
                }
            }
        }
        for (turn, own) in times.enumerated() { try found(.descent(turn), try Statistics.median(own)) }
    }
}
