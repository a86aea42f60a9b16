// How a reader makes each part again, how long it takes, and what a second machine needs. Times of claims are those of
// the run that is shown.

import Report

extension Summary {
    static func guide(_ document: Document) -> [Article.Task] {
        let seconds = (document.verdicts ?? []).compactMap(\.seconds)
        let longest = (document.verdicts ?? []).compactMap { verdict in verdict.seconds.map { (verdict.claim, $0) } }
            .max { $0.1 < $1.1 }
        let all = seconds.isEmpty ? "up to 75 minutes" : minutes(seconds.reduce(0, +))
        var tasks = [
            Article.Task(
                "every claim, plot and this page", "scripts/reproduce",
                "\(all) after its first build, then the benchmark"),
            Article.Task(
                "the same with fewer and shorter rounds", "scripts/reproduce --quick", "about a seventh of that"),
        ]
        if let longest {
            tasks.append(
                Article.Task(
                    "one claim, as its section says; this one takes longest", "faultline reproduce \(longest.0)",
                    minutes(longest.1)))
        }
        return tasks + [
            Article.Task(
                "the plots of a folder of results, each by the file of its name in scripts/plots",
                "scripts/plot FOLDER",
                "a minute"),
            Article.Task("this page, from records and plots", "faultline report FOLDER", "a second"),
            Article.Task("the picture of one recursion on each kind of stack", "scripts/stacks", "half a minute"),
        ]
    }

    static let needs = [
        "Linux on x86-64, 6.13 or later for guard pages and 6.8 for moving them; with an older kernel those rows say "
            + "what is missing.",
        "Swift 6.3, and root or the named Debian packages: scripts/reproduce installs what it may, and names what it "
            + "may not.",
        "13 GiB of free memory for a million stacks, two processors at least, and nobody else on them: what others "
            + "used meanwhile is said in the warnings.",
        "Go of several versions: Debian's, and newer ones that are fetched once; without a network their rows are left "
            + "out by name.",
    ]

    /// Statements of the articles that no claim is made of.
    static let untested =
        "WebAssembly and microcontrollers, where there is no page to fault on; hints in comments and rules for "
        + "building, of which nothing can be measured; stacks in unsafe Rust, whose behaviour is undefined by "
        + "that language."

    private static func minutes(_ seconds: Double) -> String {
        seconds < 90 ? "\(Int(seconds.rounded())) seconds" : "\(Int((seconds / 60).rounded())) minutes"
    }
}
