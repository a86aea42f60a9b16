// The list of jobs. A worker keeps what it tells in atomics, and its jobs in a list with a lock, so that any thread may
// ask while it computes.
internal import CScheduler

extension Scheduler {
    /// The jobs of every run in progress, run by run; those that have not started are last in each thread's list. Each
    /// entry is of a moment of its own, and may be stale. May be called on any thread; does not suspend.
    /// - Complexity: linear in the number of jobs.
    public static var jobs: [JobInfo] {
        onWorkerIfAny { Runtime.running.flatMap(\.jobs) }
    }
}

/// What a job does (``Scheduler/jobs``).
public struct JobInfo: Sendable, CustomStringConvertible {
    /// What a job does.
    public enum State: Sendable, Equatable {
        /// It has no stack yet; any thread of the run may take it.
        case fresh
        /// It waits for its turn.
        case ready
        /// Its thread runs it.
        case running
        /// It is parked until something ends the wait.
        case waiting(Wait)
    }

    /// What a job waits for.
    public enum Wait: Sendable, Equatable, CustomStringConvertible {
        /// The end of a sleep.
        case time
        /// The end of the job with this identity.
        case job(UInt64)
        /// The jobs of a scope whose body has ended.
        case scope
        /// A receiver in a channel.
        case sending
        /// An element in a channel.
        case receiving
        /// One of the cases of a select.
        case selecting
        /// A descriptor of this number; reading also means accepting.
        case reading(Int32)
        /// A descriptor of this number; writing also means connecting.
        case writing(Int32)
        /// The end of a Task.
        case task
        /// The end of a call that blocks, on a thread for such calls.
        case blockingCall
        /// The frames of another job.
        case backtrace

        public var description: String {
            switch self {
            case .time: "time"
            case .job(let id): "job \(id)"
            case .scope: "the jobs of its scope"
            case .sending: "sending"
            case .receiving: "receiving"
            case .selecting: "a select"
            case .reading(let number): "reading from descriptor \(number)"
            case .writing(let number): "writing to descriptor \(number)"
            case .task: "a Task"
            case .blockingCall: "a blocking call"
            case .backtrace: "the frames of another job"
            }
        }
    }

    /// Unique in the process.
    public let run: UInt64
    /// Unique in its run; the first job of a run has 1.
    public let id: UInt64
    /// What it was named when it was spawned.
    public let name: String?
    /// What it does.
    public let state: State
    /// Whether it was cancelled.
    public let isCancelled: Bool
    /// The thread of the run that has it, from 0 on.
    public let thread: Int

    public var description: String {
        let name = name.map { " '\($0)'" } ?? ""
        let state =
            switch state {
            case .fresh: "has not started"
            case .ready: "ready"
            case .running: "running"
            case .waiting(let wait): "waiting for \(wait)"
            }
        return "run \(run) thread \(thread) job \(id)\(name): \(state)\(isCancelled ? ", cancelled" : "")"
    }
}

extension Runtime {
    fileprivate var jobs: [JobInfo] {
        workers.flatMap { worker in
            // First the job that runs: one that starts to run meanwhile is found in the list as it was before.
            let running = worker.running.job
            let lists = worker.jobs
            return lists.started.map { job in
                let wait = JobInfo.Wait(word: job.place.load(ordering: .relaxed))
                let state: JobInfo.State =
                    job.id == running ? .running : job.isWaiting ? wait.map { .waiting($0) } ?? .ready : .ready
                return job.info(state, worker)
            } + lists.fresh.map { $0.info(.fresh, worker) }
        }
    }
}

extension AnyJob {
    fileprivate func info(_ state: JobInfo.State, _ worker: Worker) -> JobInfo {
        JobInfo(
            run: runtime.number, id: id, name: name, state: state,
            isCancelled: cancelled.load(ordering: .sequentiallyConsistent), thread: worker.number)
    }
}

extension Direction {
    func wait(_ number: Int32) -> JobInfo.Wait { self == .reading ? .reading(number) : .writing(number) }
}

extension JobInfo.Wait {
    /// Its kind in eight bits, and above them the identity or number. 0 is none.
    var word: UInt64 {
        switch self {
        case .time: 1
        case .job(let id): id << 8 | 2
        case .scope: 3
        case .sending: 4
        case .receiving: 5
        case .selecting: 6
        case .reading(let number): UInt64(UInt32(bitPattern: number)) << 8 | 7
        case .writing(let number): UInt64(UInt32(bitPattern: number)) << 8 | 8
        case .task: 9
        case .blockingCall: 10
        case .backtrace: 11
        }
    }

    init?(word: UInt64) {
        let number = Int32(truncatingIfNeeded: word >> 8)
        switch word & 0xff {
        case 1: self = .time
        case 2: self = .job(word >> 8)
        case 3: self = .scope
        case 4: self = .sending
        case 5: self = .receiving
        case 6: self = .selecting
        case 7: self = .reading(number)
        case 8: self = .writing(number)
        case 9: self = .task
        case 10: self = .blockingCall
        case 11: self = .backtrace
        default: return nil
        }
    }
}
