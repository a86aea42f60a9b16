// Python's greenlets, by an interpreter that has them or finds them where a script put the package `greenlet`.

import Processes

extension Peer {
    /// Switches to another greenlet and back; greenlets that run once.
    public static let greenlet = Peer(
        name: "greenlet", packages: "python3, and its package greenlet: 'scripts/reproduce' does",
        tasks: [PeerTask(.roundTrip, "greenlet", "round-trip"), PeerTask(.spawn, "greenlet", "spawn")]
    ) { builder in
        let environment = Spawn.environment(changing: [
            "PYTHONPATH": builder.packages("greenlet").joined(separator: ":"), "PYTHONDONTWRITEBYTECODE": "1",
        ])
        var problem = "no python3 on PATH"
        for python in builder.all("python3") {
            let answer = try Subprocess.finish(
                python, ["-c", "import greenlet"], environment: environment, seconds: 20)
            if answer.ending == .exited(0) {
                let text = String(decoding: PackageResources.greenlet_peer_py, as: UTF8.self)
                return PeerProgram("greenlet", python, ["-c", text], environment: environment)
            }
            problem = "\(python): \(answer.errors.split(separator: "\n").last ?? "no message")"
        }
        throw ProcessError(problem)
    }
}
