/// Why a file is not read or changed; the description is one line without the name of the file.
public enum ElfError: Error, Hashable, CustomStringConvertible {
    case notELF, otherProcessor, notExecutable
    /// Its header says that it is for that system, whose kernel has other calls.
    case otherSystem(String)
    /// Something that a valid file has is missing or contradicts the rest.
    case malformed(String)
    /// No room for one more segment.
    case noSpareHeader, outOfReach

    public var description: String {
        switch self {
        case .notELF: "not an ELF executable"
        case .otherProcessor: "not for x86-64; only Linux amd64 executables are understood"
        case .otherSystem(let name): "for \(name); only Linux amd64 executables are understood"
        case .notExecutable: "an object file or a core dump, not an executable"
        case .malformed(let what): "the file is damaged: \(what)"
        case .noSpareHeader: "no program header can be spared for a segment of its own"
        case .outOfReach: "it spreads over more memory than a call reaches"
        }
    }
}
