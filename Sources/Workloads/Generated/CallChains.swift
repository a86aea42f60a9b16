// Chains of calls in C that no compiler inlines, by a function's name or by the pointer that the caller was given. The
// source is made here for each length of a chain.

/// Calls in chains of one length.
public struct CallChainWorkload: Workload, CodeSourceProvider {
    /// What a call is made by.
    public enum Kind: String, CaseIterable, Sendable {
        case name
        case pointer
    }

    /// The calls of a chain.
    public static let depths = [10, 1_000]
    /// Of every kind and depth.
    public static let all = Kind.allCases.flatMap { kind in
        depths.map { CallChainWorkload(kind: kind, depth: $0) }
    }

    public let name: String
    public let summary: String
    public let inputHelp = "how many calls, from 1 to 1000000000 (default 1000000)"
    public let languages: [CodeLanguage] = [.c]
    public let kind: Kind
    public let depth: Int

    /// - Precondition: `depth` is positive.
    public init(kind: Kind, depth: Int) {
        precondition(depth > 0, "a chain has a call")
        (self.kind, self.depth) = (kind, depth)
        name = "chain\(depth)\(kind.rawValue)"
        summary = "calls by \(kind == .name ? "name" : "a pointer") in chains of \(depth)"
    }

    public func prepare(inputs: [String]) throws(WorkloadError) -> PreparedWorkload {
        let calls = try size(inputs, of: name, default: 1_000_000, in: 1...1_000_000_000)
        let depth = UInt64(depth)
        let chains = (calls + depth - 1) / depth
        return PreparedWorkload(
            name: name, summary: "\(grouped(chains)) chains of \(depth) calls", operations: chains * depth,
            cases: [WorkloadCase(parameter: chains, checksum: chains &* depth)])
    }

    func codeSource() -> CodeSource {
        .repeating("sum += chain();", name, functions: functions, after: kind == .pointer ? "prepare();" : "")
    }

    /// The last call of a chain returns 1, and each other one more than the next: a sum that the compiler is kept from
    /// making a loop of.
    private var functions: String {
        switch kind {
        case .name:
            """
            __attribute__((noinline)) static uint64_t inner(uint64_t left) {
                if (left == 1) return 1;
                uint64_t sum = inner(left - 1);
                __asm__ volatile("" : "+r"(sum));
                return sum + 1;
            }
            static uint64_t chain(void) { return inner(\(depth)); }
            """
        case .pointer:
            """
            typedef struct link { uint64_t (*call)(const struct link *self); const struct link *next; } link;
            static link links[\(depth)];
            static uint64_t last(const link *self) {
                (void)self;
                return 1;
            }
            static uint64_t inner(const link *self) {
                uint64_t sum = self->next->call(self->next);
                __asm__ volatile("" : "+r"(sum));
                return sum + 1;
            }
            static uint64_t chain(void) {
                const link *first = &links[\(depth - 1)];
                __asm__ volatile("" : "+r"(first) : : "memory");
                return first->call(first);
            }
            static void prepare(void) {
                links[0] = (link){last, 0};
                for (int place = 1; place < \(depth); place++) links[place] = (link){inner, &links[place - 1]};
            }
            """
        }
    }
}
