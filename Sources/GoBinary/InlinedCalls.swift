// Copies of a function that the compiler put into others, of which a changed entry knows nothing. A build with a
// profile (Go 1.21 and later) inlines functions of any package that are large and called often; without one, none of
// those that are changed is small enough. Go notes each for its tracebacks (inlinedCall in runtime/symtabinl.go), in 4
// bytes each:
//
//     kind, 0 | name | where (parentPc) | line where the function begins
//
// The records of a function are where a table says that moved from version to version. Here they are known by what they
// say: the place of the function's name among all names, and its first line.

import ObjectCode

extension GoExecutable {
    /// Refuses a program in which one of these functions is part of another.
    func checkThatNoneIsInlined(_ names: Set<String>) throws(GoBinaryError) {
        guard let minor = build.minorVersion, minor >= 21 else { return }
        var wanted: [UInt32: GoFunction] = [:]
        for checked in functions where names.contains(checked.function.name) && checked.function.startLine > 0 {
            wanted[checked.function.nameOffset] = checked.function
        }
        guard let least = wanted.keys.min(), let greatest = wanted.keys.max() else { return }
        let length = 16
        let found = file.bytes.content.withUnsafeBytes { bytes -> GoFunction? in
            for segment in file.segments where segment.isLoaded && segment.fileSize >= length {
                var offset = segment.offset
                let end = segment.offset + segment.fileSize - length
                while offset <= end {
                    let name = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                    if name >= least, name <= greatest, let function = wanted[name],
                        bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self) == 0,
                        bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self) == function.startLine
                    {
                        return function
                    }
                    offset += 4
                }
            }
            return nil
        }
        if let found {
            throw GoBinaryError("\(found.name) is part of other functions, too: build it without a profile (-pgo=off)")
        }
    }
}
