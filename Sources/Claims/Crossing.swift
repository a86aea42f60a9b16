// Where two costs cross that both grow with the number of calls: found between the points of a sweep, and predicted
// from what a growth and a call cost. Pure arithmetic on medians of one code layout; what several layouts say is put
// together by the caller.

/// One way of growing in one code layout: nanoseconds of a run with one growth, by calls.
struct CostCurve {
    /// Numbers of calls, ascending from 1.
    let calls: [Int]
    /// Nanoseconds, one for each.
    let times: [Double]

    init(calls: [Int], times: [Double]) {
        precondition(calls.count == times.count && calls.count >= 2, "a curve has two points at least")
        precondition(zip(calls, calls.dropFirst()).allSatisfy { $0 < $1 }, "calls ascend")
        self.calls = calls
        self.times = times
    }

    /// Nanoseconds of each further call, up to the point of that index; all of them if nil.
    func perCall(upTo last: Int? = nil) -> Double {
        let last = last ?? times.count - 1
        return (times[last] - times[0]) / Double(calls[last] - calls[0])
    }
}

/// A curve that begins high and rises slowly, against one that begins low and rises faster.
struct Crossing {
    /// With the trap, without checks.
    let trap: CostCurve
    /// With checks, on the same sweep.
    let checked: CostCurve

    /// What stands for "not within the sweep": ten times its end. Finite, so that it has a place among samples whose
    /// median is taken.
    var beyond: Double { 10 * Double(trap.calls[trap.calls.count - 1]) }

    /// Nanoseconds by which the growth by a trap is slower.
    var growthDifference: Double { trap.times[0] - checked.times[0] }
    /// Nanoseconds that a check costs in each call.
    var checkCost: Double { checkCost(upTo: nil) }

    /// The same over the first calls, while branches are still learnt and caches filled: up to the point of that index.
    func checkCost(upTo last: Int?) -> Double { checked.perCall(upTo: last) - trap.perCall(upTo: last) }

    /// Calls per growth from which on the trap is faster: between two points as if the difference were a straight line;
    /// 1 where it is faster from the first, ``beyond`` where it is not faster at the end. Where a gain and a later loss
    /// contradict each other, the smaller of the two, as a share of the time, is noise.
    var measured: Double {
        let gains = zip(trap.times, checked.times).map { $1 - $0 }
        let shares = zip(gains, trap.times).map { $0 / $1 }
        // The first `losses` points are lost, the others won: what contradicts that is to be as little as possible.
        func contradiction(_ losses: Int) -> Double {
            shares[..<losses].reduce(0) { $0 + max(0, $1) } + shares[losses...].reduce(0) { $0 + max(0, -$1) }
        }
        // Of equals the one with the most losses: what gains nothing is not won.
        let losses = (0...gains.count).reversed().min { contradiction($0) < contradiction($1) }!
        if losses == 0 { return 1 }
        if losses == gains.count { return beyond }
        let (before, after) = (Double(trap.calls[losses - 1]), Double(trap.calls[losses]))
        let (loss, gain) = (min(0, gains[losses - 1]), max(0, gains[losses]))
        return gain > loss ? before + (after - before) * -loss / (gain - loss) : after
    }

    /// The same from the growth and the check alone.
    var predicted: Double {
        guard growthDifference > 0 else { return 1 }
        guard checkCost > 0 else { return beyond }
        return min(beyond, max(1, growthDifference / checkCost))
    }
}
