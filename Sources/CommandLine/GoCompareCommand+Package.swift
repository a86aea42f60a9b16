// The variants of a package: `faultline go compare --package`.

import ArgumentParser
import Experiments
import Foundation
import GoBinary
import Peers

extension GoCompareCommand {
    /// What is built from --package; nil without it.
    func packageLayouts(
        _ task: GoTask, in folder: String, _ update: (String) -> Void, note: (String) -> Void
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
        let source = URL(fileURLWithPath: package).standardizedFileURL.path
        do {
            let size = try sufficientStack(for: task, update, note: note) { size in
                let original = "\(folder)/trial"
                if !FileManager.default.fileExists(atPath: original) {
                    try installation.build(source, to: original, isInterrupted: { Interruption.isRequested })
                }
                return try layout(original, folder: folder, name: "trial", initial: size).patched
            }
            let variants = PackageVariants(
                source, installation, StripOptions(initial: size, keepsRuntime: keepRuntime), hasParts: parts,
                folder: folder, isInterrupted: { Interruption.isRequested })
            return try variants.layouts(
                layouts ?? (installation.hasRandomLayouts ? 8 : nil), progress: update)
        } catch let failure as RuntimeFailure {
            throw failure
        } catch {
            if Interruption.isRequested { throw InterruptedRun(missing: ["compare"]) }
            throw RuntimeFailure("'\(package)': \(error)")
        }
    }
}
