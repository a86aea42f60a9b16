// A peer: the real program of others that something here is measured beside. Its text travels inside this program and
// is built where it runs; it answers lines in a process of its own, so that it takes its turn within a measurement's
// rounds.
//
// A new peer is a file that extends `Peer` with it, its text in Programs/, and its place in the list.

import Processes
import Workloads

/// A program of others.
public struct Peer: Sendable {
    /// What messages call it.
    public let name: String
    /// What to install where it is missing.
    public let packages: String
    /// What it is measured at, in the order in which records list it.
    public let tasks: [PeerTask]
    /// Finds or builds its program.
    let make: @Sendable (ProgramBuilder) throws -> PeerProgram

    /// Every peer, in the order in which records list them.
    public static let all: [Peer] = [.boostContext, .boostFiber, .pth, .rust, .goroutines, .virtualThreads, .greenlet]

    /// Builds it, or takes it from the cache, and starts it.
    ///
    /// - Throws: ``PeerUnavailable`` where it cannot be built or does not start.
    public func start(environment: CodeEnvironment = CodeEnvironment()) throws(PeerUnavailable) -> RunningPeer {
        do {
            let conversation = try make(ProgramBuilder(environment: environment)).converse()
            return RunningPeer(
                peer: self, version: try conversation.ask("version", seconds: 60), conversation: conversation)
        } catch {
            throw PeerUnavailable("\(error); install \(packages)")
        }
    }
}

/// What a peer does many times at a request "WORD COUNT"; its answer is how many nanoseconds it took, and how often it
/// was done.
public struct PeerTask: Sendable, Hashable {
    /// What one operation is.
    public enum Kind: Sendable, CaseIterable {
        /// To another stack and back.
        case roundTrip
        /// A coroutine, fiber or thread is made, run to its end and waited for.
        case spawn
        /// A loop takes the next element of a generator.
        case element
        /// A call that asks how much stack is left, where it is enough.
        case headroom
        /// The same call that does not ask.
        case plainCall
        /// The same where it is not enough.
        case growingCall
        /// One level of a recursion that asks at each, as many as the count.
        case level
    }

    /// What one operation is.
    public let kind: Kind
    /// What records call it.
    public let name: String
    /// The first word of its request.
    let word: String

    init(_ kind: Kind, _ name: String, _ word: String) { (self.kind, self.name, self.word) = (kind, name, word) }
}

/// A peer whose program runs.
public final class RunningPeer {
    public let peer: Peer
    /// It and its version: "boost 1.74.0".
    public let version: String
    private let conversation: Conversation

    init(peer: Peer, version: String, conversation: Conversation) {
        (self.peer, self.version, self.conversation) = (peer, version, conversation)
    }

    /// Has it do a task `count` times. Returns nanoseconds for all.
    ///
    /// - Throws: ``PeerFailure`` too where it did another number of them.
    public func perform(_ task: PeerTask, _ count: Int) throws(PeerFailure) -> UInt64 {
        let answer = try conversation.numbers("\(task.word) \(count)", atLeast: 2)
        guard answer[1] == UInt64(count) else {
            throw PeerFailure("\(version): \(task.name) was done \(answer[1]) times instead of \(count)")
        }
        return answer[0]
    }
}

/// Why a peer cannot be measured: one line that names the package to install.
public struct PeerUnavailable: Error, CustomStringConvertible, Sendable {
    /// The line.
    public let description: String

    /// A peer that is not there.
    public init(_ description: String) { self.description = description }
}
