// The variants of a package: `faultline go compare --package`.

import ArgumentParser
import Experiments
import Foundation
import GoBinary
import Peers

extension GoCompareCommand {
    /// What is built from --package; nil without it.
    func packageLayouts(
        in folder: String, _ update: (String) -> Void
    ) throws -> [GoComparison.Layout]? {
        guard let package else { return nil }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: package, isDirectory: &isFolder), isFolder.boolValue else {
            throw UsageFailure("--package '\(package)' is no folder; name the folder of a main package")
        }
        let installation = try GoToolchainCommand.installation(goCommand == "go" ? nil : goCommand)
        guard layouts == nil || installation.hasRandomLayouts else {
            throw UsageFailure(
                "--layouts needs Go 1.22 or later, and \(installation.version) is found; name one by --go")
        }
        let variants = PackageVariants(
            URL(fileURLWithPath: package).standardizedFileURL.path, installation,
            StripOptions(initial: initial?.bytes ?? StripOptions.defaultInitial, keepsRuntime: keepRuntime),
            hasParts: parts, folder: folder,
            isInterrupted: { Interruption.isRequested })
        do {
            return try variants.layouts(
                layouts ?? (installation.hasRandomLayouts ? 8 : nil), progress: update)
        } catch {
            if Interruption.isRequested { throw InterruptedRun(missing: ["compare"]) }
            throw RuntimeFailure("'\(package)': \(error)")
        }
    }
}
