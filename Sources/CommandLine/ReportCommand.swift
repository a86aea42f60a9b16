// `faultline report`: the reports of a folder again, with its plots; or those of several runs as one.

import ArgumentParser
import Claims
import Report

/// Renders folders of results.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Write the reports of a folder of results again, or of several runs as one.",
        discussion: """
            Reads records.json and plots/*.svg, and writes report.html, which holds the plots itself, and the same as \
            text: report.md, and a page for each claim in claims/.

            Several folders are runs of several machines or days. Their records become one: medians of medians, \
            intervals that hold all of theirs. Every claim is judged in each run and over all; where runs disagree, \
            it depends, and the verdict says on what. That goes to the folder of --out, as records.json too; its \
            plots are drawn with scripts/plot, after which 'faultline report' adds them.

            Examples:
              faultline reproduce --quick --out results
              scripts/plot results
              faultline report results
              faultline report monday tuesday --out both
            """)

    @Argument(
        help: ArgumentHelp("Folders that 'faultline reproduce --out' wrote.", valueName: "folder"),
        completion: .directory)
    var folders: [String]

    @Option(
        help: ArgumentHelp("Where the report of several runs goes.", valueName: "folder"), completion: .directory)
    var out: String?

    func validate() throws {
        switch (folders.count, out) {
        case (1, .some): throw ValidationError("one folder is written again where it is: leave --out away")
        case (2..., nil): throw ValidationError("several runs need a folder for their report: add --out FOLDER")
        default: break
        }
        let names = Self.names(folders)
        if Set(folders).count < folders.count || Set(names).count < names.count {
            throw ValidationError("two runs have one name: name each folder once, and otherwise than the others")
        }
    }

    func run() throws {
        guard let out else {
            let folder = ResultsFolder(folders[0])
            let document = try folder.document()
            return try folder.writeReports(
                ResultsPage(document, article: Summary.article(document), plots: folder.plots()))
        }
        let runs = try zip(Self.names(folders), folders).map { name, folder in
            (name: name, document: try ResultsFolder(folder).document())
        }
        let document = MergedRuns.document(runs)
        let folder = ResultsFolder(out)
        try folder.prepare()
        try folder.write(ResultsPage(document, article: Summary.article(document)))
    }

    /// The last part of each path: that is what reports call the runs.
    private static func names(_ folders: [String]) -> [String] {
        folders.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
    }
}
