import Glibc
import TestNeeds
import Testing

@testable import Processes

@Suite struct ContentCacheTests {
    private let content = Array("what was built".utf8)

    @Test func anEntryIsReadAsItWasStored() throws {
        let folder = try TemporaryFolder()
        let cache = try ContentCache(preferring: folder.path)
        let path = try cache.withWorkFolder { work throws(ProcessError) in
            try cache.store(content, as: "entry", from: work, isExecutable: true)
        }
        #expect(path == "\(folder.path)/entry" && cache.path("entry") == path)
        #expect(cache.read("entry") == content)
        #expect(Files.isExecutable(path))
        #expect(cache.read("another") == nil)
    }

    @Test func anEntryWithOneChangedByteIsNone() throws {
        let folder = try TemporaryFolder()
        let cache = try ContentCache(preferring: folder.path)
        let path = try cache.withWorkFolder { work throws(ProcessError) in
            try cache.store(content, as: "entry", from: work)
        }
        let stored = try Files.read(path)
        for index in stored.indices {
            var damaged = stored
            damaged[index] ^= 1
            try Files.write(damaged, to: path)
            #expect(cache.read("entry") == nil, "byte \(index)")
        }
        try Files.write(stored.dropLast(), to: path)
        #expect(cache.read("entry") == nil)
    }

    @Test func aWorkFolderIsGoneAlsoAfterAnError() throws {
        let folder = try TemporaryFolder()
        let cache = try ContentCache(preferring: folder.path)
        var used = ""
        #expect(throws: ProcessError.self) {
            try cache.withWorkFolder { work throws(ProcessError) in
                used = work
                try Files.write("x".utf8, to: "\(work)/draft")
                throw ProcessError("no")
            }
        }
        #expect(used.hasPrefix(folder.path))
        #expect(!Files.isFolder(used))
    }

    @Test func aFolderThatCannotBeWrittenIsReplaced() throws {
        let cache = try ContentCache(preferring: "/proc/faultline")
        #expect(!cache.folder.hasPrefix("/proc") && Files.isFolder(cache.folder))
    }

    @Test func lengthsArePartOfAHash() {
        func digits(_ parts: String...) -> String {
            var hash = ContentHash()
            for part in parts { hash.add(part) }
            return hash.digits
        }
        #expect(digits("ab", "c") != digits("a", "bc"))
        #expect(digits("ab", "c") == digits("ab", "c"))
        #expect(digits().count == 32)
    }
}
