// What stands where `go build` looks for the linker, so that every program that is linked has what serves its probes: a
// script, which calls Go's own linker and then this program.

import Processes

/// The script and what it calls.
package struct ProbingLinker: Sendable {
    /// Where the script is, below the installation's folder.
    static let file = "pkg/tool/linux_amd64/link"
    /// Where what it calls is.
    static let folder = "probes"

    /// The program `faultline`.
    let patcher: String
    /// Differs where the script or the patcher does.
    let identity: String
    /// The script.
    package let script: String

    /// - Parameter patcher: a path of the program `faultline`.
    package init(patcher: String) {
        self.patcher = Files.resolved(patcher) ?? patcher
        let text = String(decoding: PackageResources.probing_link_sh, as: UTF8.self)
        var hash = ContentHash()
        hash.add(text)
        hash.add(Toolchain.identity(of: [self.patcher]))
        identity = hash.digits
        script = text.replacing("@IDENTITY@", with: identity)
    }

    /// What a listing says of it.
    var summary: [String] {
        [
            "\(Self.file): new, \(script.count { $0 == "\n" }) lines",
            "\(Self.folder)/link: what was there before",
            "\(Self.folder)/faultline: adds what grows stacks by faults",
        ]
    }
}
