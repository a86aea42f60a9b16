// What a Go program whose stacks grow by faults says at its end, when FAULTLINE_STATISTICS asks it (GoStubs/growth.S).

package struct GrowthStatistics {
    /// What asks for it on standard error.
    package static let variable = (name: "FAULTLINE_STATISTICS", value: "1")

    /// Probes that faulted, and growths of stacks, also by checks that were kept.
    package let probeFaults: Int
    package let growths: Int

    /// Reads it from what the program, and what it started with the same setting, wrote; nil where it is not there.
    package init?(_ text: String) {
        let words = text.split { $0 == " " || $0 == "\n" }
        func count(_ name: Substring) -> Int? {
            let counts = zip(words, words.dropFirst()).compactMap { $0 == name ? Int($1) : nil }
            return counts.isEmpty ? nil : counts.reduce(0, +)
        }
        guard let faults = count("probe-faults"), let growths = count("growths") else { return nil }
        (probeFaults, self.growths) = (faults, growths)
    }
}
