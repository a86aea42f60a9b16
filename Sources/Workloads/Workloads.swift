// The list of workloads. A new one is a new file and a line here.

/// All workloads.
public enum Workloads {
    /// In the order of help texts.
    public static let all: [any Workload] = [
        JSONWorkload(), LispWorkload(), RegexWorkload(), AckermannWorkload(), FibWorkload(), TakWorkload(),
        NQueensWorkload(), TreesWorkload(), ClosuresWorkload(), SortWorkload(),
    ]

    /// The workload called `name`.
    /// - Throws: `WorkloadError`, which lists the valid names.
    public static func named(_ name: String) throws(WorkloadError) -> any Workload {
        if let workload = all.first(where: { $0.name == name }) { return workload }
        let names = all.map(\.name).joined(separator: ", ")
        throw WorkloadError("unknown workload '\(name)'", remedy: "choose from: \(names)")
    }
}
