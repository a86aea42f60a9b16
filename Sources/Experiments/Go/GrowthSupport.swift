// Whether programs with probes run here: at their start they set a base that no system call sets.

import Processes

package enum GrowthSupport {
    /// Why they do not; nil where they do.
    package static let refusal: String? = {
        // Pairs of a key and a value, by getauxval(3): AT_HWCAP2 with HWCAP2_FSGSBASE.
        let (key, bit) = (UInt64(26), UInt64(2))
        let bytes = (try? Files.read("/proc/self/auxv")) ?? []
        let words = bytes.withUnsafeBytes { raw in
            (0..<raw.count / 8).map { raw.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
        }
        let isAllowed = stride(from: 0, to: words.count - 1, by: 2).contains {
            words[$0] == key && words[$0 + 1] & bit != 0
        }
        return isAllowed ? nil : "programs may not use the instruction wrgsbase here; Linux 5.9 or later allows it"
    }()
}
