// `faultline report`: the reports of a folder again, with its plots.

import ArgumentParser
import Claims
import Report

/// Renders a folder of results.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Write the reports of a folder of results again, with its plots.",
        discussion: """
            Reads records.json and plots/*.svg, and writes report.md and report.html, which holds the plots itself.

            Example:
              faultline reproduce --quick --out results
              scripts/plot results
              faultline report results
            """)

    @Argument(
        help: ArgumentHelp("A folder that 'faultline reproduce --out' wrote.", valueName: "folder"),
        completion: .directory)
    var folder: String

    func run() throws {
        let folder = ResultsFolder(folder)
        let document = try folder.document()
        try folder.writeReports(ResultsPage(document, summary: Summary.lines(document), plots: folder.plots()))
    }
}
