// What this module refuses, in one line each.

import ObjectCode

/// Why a file is not examined or changed.
public struct GoBinaryError: Error, Hashable, CustomStringConvertible {
    /// One line that says what is wrong, without the name of the file.
    public let description: String

    /// An error of that description.
    public init(_ description: String) {
        self.description = description
    }

    /// Reports errors of ``ElfFile`` as this module's.
    static func reporting<Result>(_ work: () throws(ElfError) -> Result) throws(GoBinaryError) -> Result {
        do throws(ElfError) {
            return try work()
        } catch {
            throw GoBinaryError(error.description)
        }
    }

    /// Something that a valid file has is missing or contradicts the rest.
    static func malformed(_ what: String) -> GoBinaryError {
        GoBinaryError(ElfError.malformed(what).description)
    }
}
