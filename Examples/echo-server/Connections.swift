// The connections of the server: each is served by a job of its own, all of them can be asked to end.
import Faultline
import FaultlineScheduler
import Synchronization

final class Connections: Sendable {
    private struct State {
        var isEnding = false
        var open: [Int: Descriptor] = [:]
        var accepted = 0
        var answered = 0
        var refused = 0
        var broken = 0
    }
    // Held for a few instructions, never while a job is suspended.
    private let state = Mutex(State())
    private let longestLine: Int
    private let largestStack: Int

    init(longestLine: Int, largestStack: Int) {
        self.longestLine = longestLine
        self.largestStack = largestStack
    }

    var openCount: Int { state.withLock { $0.open.count } }

    /// One line for people and scripts.
    var summary: String {
        state.withLock { state in
            "accepted \(state.accepted), answered \(state.answered), refused \(state.refused), broken \(state.broken)"
        }
    }

    /// Serves `connection` until its end. A job's body: it never throws.
    func serve(_ connection: Descriptor) {
        let number = state.withLock { state in
            state.accepted += 1
            state.open[state.accepted] = connection
            return state.accepted
        }
        if state.withLock({ $0.isEnding }) { try? connection.shutDownReading() }
        do {
            try connection.setNoDelay(true)
            try answerLines(of: connection)
        } catch {
            state.withLock { $0.broken += 1 }
        }
        state.withLock { _ = $0.open.removeValue(forKey: number) }
        try? connection.close()
    }

    /// Lets every connection end once it has answered what it has received.
    func end() {
        let open = state.withLock { state in
            state.isEnding = true
            return Array(state.open.values)
        }
        for connection in open { try? connection.shutDownReading() }
    }

    /// Closes what is still open.
    func abandon() {
        for connection in state.withLock({ Array($0.open.values) }) { try? connection.close() }
    }

    private func answerLines(of connection: Descriptor) throws {
        var pending: [UInt8] = []
        while true {
            let received = try connection.read(upTo: 4096)
            if received.isEmpty { return }
            // What was there before has no end of a line.
            var searched = pending.count
            var start = 0
            pending += received
            var answers: [UInt8] = []
            while let end = pending[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                answers += answer(to: pending[start..<end])
                start = end + 1
                searched = start
            }
            pending.removeFirst(start)
            if pending.count > longestLine {
                state.withLock { $0.refused += 1 }
                return try connection.write(
                    answers + Array("error: the line is longer than \(longestLine) bytes\n".utf8))
            }
            if !answers.isEmpty { try connection.write(answers) }
        }
    }

    /// The recursion has a stack of its own, which goes back to the thread's pool with its line: what one deep line
    /// took does not stay with an idle connection. Nothing suspends in there.
    private func answer(to line: ArraySlice<UInt8>) -> [UInt8] {
        let text: String
        do {
            text = "\(try withGrowableStack(maximum: largestStack) { try Evaluator.value(of: line) })"
            state.withLock { $0.answered += 1 }
        } catch {
            state.withLock { $0.refused += 1 }
            if case StackFault.overflow = error {
                text = "error: nested too deeply for a stack of \(largestStack) bytes"
            } else {
                text = "error: \(error)"
            }
        }
        return Array((text + "\n").utf8)
    }
}
