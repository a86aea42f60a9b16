import Testing

@testable import Peers

struct GoOperationTests {
    /// The later of two entries of one name would silently take the place of the first.
    /// Call trees are followed, not asked; what waits answers one question.
    @Test(
        "no two operations of a program have one name",
        arguments: GoSource.allCases.filter { $0 != .depths && $0 != .pointers })
    func names(source: GoSource) {
        var names: [String] = []
        for file in source.files where file.name.hasSuffix(".go") {
            let text = String(decoding: file.text, as: UTF8.self)
            for part in text.split(separator: "operations[\"").dropFirst() {
                // An entry is assigned; a use is not.
                let rest = part.drop { $0 != "\"" }
                if rest.hasPrefix("\"] = ") { names.append(String(part.prefix { $0 != "\"" })) }
            }
        }
        #expect(names.count >= 1)
        #expect(Set(names).count == names.count, "\(names.sorted())")
    }
}
