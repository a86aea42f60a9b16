// The requests that several claims serve: small documents, mostly shallow, some deep.

import Workloads

enum RequestDocuments {
    /// How deeply requests are nested, in turn; the same list as in requests.go. Not statistics of real traffic: chosen
    /// so that one in seven is deep.
    static let depths = [1, 2, 2, 3, 3, 3, 4, 4, 5, 6, 8, 12, 16, 24]

    /// The same text as requests.go makes.
    static func document(depth: Int) -> [UInt8] {
        var text = ""
        for level in 0..<depth {
            text += #"{"id":\#(level),"name":"request","tags":["a","b","c"],"ratio":0.5,"child":"#
        }
        return Array((text + "null" + String(repeating: "}", count: depth)).utf8)
    }

    /// Each document, ready to be parsed and checked.
    static func prepared() throws -> [PreparedWorkload] {
        try depths.map { depth in
            try JSONWorkload.prepare(documents: [(label: "depth \(depth)", bytes: document(depth: depth))])
        }
    }

    /// Work that parses a document of the middle depth.
    static func parsing() throws -> @Sendable () -> Void {
        let request = try prepared()[depths.count / 2]
        let code = try CodeLoader().load(JSONWorkload(), variant: .builtin)
        return {
            // Checked when it was prepared; what is measured here is memory.
            _ = try? request.run(code)
        }
    }
}
