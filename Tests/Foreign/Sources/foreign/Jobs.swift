// The jobs, and where they run: on a thread, which says what is right, and on coroutines.
import Faultline
import ForeignCode
import Glibc

struct Kind: Sendable {
    let name: String
    /// Jobs of it that take turns.
    let jobs: Int
    let step: @convention(c) (UnsafeMutablePointer<fc_job>) -> Bool

    static let all = [
        Kind(name: "sqlite", jobs: 3, step: fc_sqlite), Kind(name: "zlib", jobs: 8, step: fc_zlib),
        Kind(name: "regex", jobs: 2, step: fc_regex), Kind(name: "nested", jobs: 2, step: fc_nested),
        Kind(name: "exceptions", jobs: 8, step: fc_exceptions),
        Kind(name: "turns", jobs: 8, step: fc_turns),
    ]
}

extension fc_job {
    init(number: Int) {
        self.init()
        seed = UInt32(number)
    }

    var result: String {
        withUnsafeBytes(of: text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// Each job by itself on the stack of a thread with room for it.
func resultsOnThread(_ kind: Kind) -> [String] {
    final class Work: @unchecked Sendable {
        let kind: Kind
        var results: [String] = []
        init(_ kind: Kind) { self.kind = kind }
    }
    let work = Work(kind)
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, 256 << 20)
    var thread = pthread_t()
    let error = pthread_create(
        &thread, &attributes,
        { argument in
            let work = Unmanaged<Work>.fromOpaque(argument!).takeUnretainedValue()
            for number in 0..<work.kind.jobs {
                var job = fc_job(number: number)
                while work.kind.step(&job) {}
                work.results.append(job.result)
            }
            return nil
        }, Unmanaged.passUnretained(work).toOpaque())
    precondition(error == 0, "a thread could not be made: \(error)")
    pthread_join(thread, nil)
    return work.results
}

/// All jobs at the same time on a coroutine each, which suspends after every step.
func resultsOnCoroutines(_ kind: Kind, _ configuration: StackConfiguration) throws -> [String] {
    let coroutines = try (0..<kind.jobs).map { number in
        try Coroutine<Void, Void, String>(configuration: configuration) {
            (co: borrowing Coroutine<Void, Void, String>.Suspender, _) in
            var job = fc_job(number: number)
            while kind.step(&job) { try co.suspend(()) }
            return job.result
        }
    }
    var results = [String?](repeating: nil, count: kind.jobs)
    while results.contains(nil) {
        for (number, coroutine) in coroutines.enumerated() where results[number] == nil {
            if case .finished(let result) = try coroutine.resume() { results[number] = result }
        }
    }
    return results.map { $0! }
}
