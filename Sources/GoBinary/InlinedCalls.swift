// Copies of a function that the compiler put into others, of which a changed entry knows nothing. A build with a
// profile (Go 1.21 and later) inlines functions of any package that are large and called often; without one, none of
// those that are changed is small enough. For its tracebacks Go keeps in each function a list of what is inlined there
// (inlinedCall in runtime/symtabinl.go), and a table that says by address which of them an instruction is part of. In 4
// bytes each:
//
//     kind, below 256 | where the name is among all names | where it was called, or -1 | line where the function begins
//
// The lists count from an address in the runtime's own record (moduledata.gofunc), at a place there that moved from
// version to version. So it is known by what it leads to: from the right address all lists of all functions hold
// together, some thousand entries in the smallest program.

import ObjectCode

/// What one function says of those that are inlined in it.
struct InlinedCalls: Sendable, Hashable {
    /// Where in the file the table is that says which of them an instruction is part of (abi.PCDATA_InlTreeIndex).
    let table: Int
    /// Where the list is, from the address that all lists count from (abi.FUNCDATA_InlTree).
    let list: UInt32

    static let entrySize = 16

    /// - Parameters:
    ///   - description: Where in the file the function is described.
    ///   - flags: Where in that its flags are. The numbers of its tables and of what else is kept are around them.
    ///   - tables: Where in the file all tables by address begin.
    init?(_ bytes: Bytes, description: Int, flags: Int, tables: Int) {
        let (tableIndex, listIndex) = (2, 3)
        guard let count = bytes.integer(description + 28, as: UInt32.self), count > tableIndex,
            let kept = bytes[description + flags + 2], kept > listIndex,
            case let words = description + flags + 3,
            let table = bytes.integer(words + tableIndex * 4, as: UInt32.self), table != 0,
            let list = bytes.integer(words + (Int(count) + listIndex) * 4, as: UInt32.self), list != .max
        else { return nil }
        (self.table, self.list) = (tables + Int(table), list)
    }
}

extension GoExecutable {
    /// Refuses a program in which one of these functions is part of another.
    func checkThatNoneIsInlined(_ names: Set<String>) throws(GoBinaryError) {
        guard let minor = build.minorVersion, minor >= 21 else { return }
        var steps = FunctionTable.maximumStepsPerByte * file.bytes.count
        let lists = try lists(&steps)
        if lists.isEmpty { return }
        var isUnderstood = false
        for word in 1..<FunctionTable.recordWords {
            guard let base = file.pointer(at: record &+ UInt64(word * 8)), let start = file.offset(of: base),
                let inlined = inlinedNames(lists, from: start, &steps)
            else { continue }
            isUnderstood = true
            for name in inlined {
                if let text = file.bytes.text(self.names + Int(name)), names.contains(text) {
                    throw GoBinaryError(
                        "\(text) is part of other functions, too: build it without a profile (-pgo=off)")
                }
            }
        }
        guard isUnderstood else { throw .malformed("what it says of inlined functions does not hold together") }
    }

    /// The list of a function, and how many entries of it are in use.
    private typealias List = (function: GoFunction, list: UInt32, count: Int)

    private func lists(_ steps: inout Int) throws(GoBinaryError) -> [List] {
        var lists: [List] = []
        for checked in functions {
            guard let inlined = checked.function.inlined else { continue }
            // Entries that no instruction is part of are of calls of which nothing is left.
            guard let last = FunctionTable.largest(file.bytes, inlined.table, &steps) else {
                throw .malformed("what it says of inlined functions does not hold together")
            }
            if last >= 0 { lists.append((checked.function, inlined.list, last + 1)) }
        }
        return lists
    }

    /// Where the names of all inlined functions are among all names, if the lists count from there in the file; nil
    /// where one of them does not hold together then.
    private func inlinedNames(_ lists: [List], from start: Int, _ steps: inout Int) -> Set<UInt32>? {
        var found: Set<UInt32> = []
        for list in lists {
            for index in 0..<list.count {
                let entry = start + Int(list.list) + index * InlinedCalls.entrySize
                steps -= 1
                guard steps > 0, file.bytes.holds(entry, InlinedCalls.entrySize),
                    let kind = file.bytes.integer(entry, as: UInt32.self), kind < 256,
                    let name = file.bytes.integer(entry + 4, as: UInt32.self), isName(name),
                    let call = file.bytes.integer(entry + 8, as: Int32.self), call >= -1, call < list.function.size,
                    let line = file.bytes.integer(entry + 12, as: Int32.self), line >= 0
                else { return nil }
                found.insert(name)
            }
        }
        return found
    }

    /// Whether a name begins there among all names.
    private func isName(_ name: UInt32) -> Bool {
        let place = names + Int(name)
        guard let first = file.bytes[place], first > 32 else { return false }
        return name == 0 || file.bytes[place - 1] == 0
    }
}
