// The table of what each option means for each strategy, for help texts.

import Faultline
import Report

enum OptionTable {
    /// Cells are wrapped at this width, so that the whole table fits 80 columns.
    private static let cellWidth = 12

    /// A row per strategy, a column per option. An empty cell: the strategy does not use the option, and giving it is
    /// an error.
    static var text: String {
        var table = TextTable(
            [.init("strategy")] + StackOption.allCases.map { .init("--\($0.rawValue)") })
        for strategy in StackStrategy.all {
            let cells = StackOption.allCases.map { wrapped($0.meaning(for: strategy) ?? "-") }
            for line in 0..<(cells.map(\.count).max() ?? 0) {
                table.append(
                    [line == 0 ? strategy.rawValue : ""] + cells.map { line < $0.count ? $0[line] : "" })
            }
        }
        return table.rendered()
    }

    private static func wrapped(_ phrase: String) -> [String] { HelpText.lines(phrase, width: cellWidth) }
}
