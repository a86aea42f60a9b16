// `faultline claims`: what there is to reproduce.

import ArgumentParser
import Claims
import Measurement
import Report

/// Lists the claims.
struct ClaimsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "claims", abstract: "List the claims of the discussion with their authors and numbers.",
        discussion: """
            Examples:
              faultline claims
              faultline claims --format json
            """)

    @Option(help: ArgumentHelp("How to print.", valueName: "format"))
    var format = ResultFormat.table

    func run() throws {
        let claims = Claims.all.map(\.listing)
        switch format {
        case .table: StandardOutput.write(claims.map(Self.text).joined(separator: "\n"))
        case .json: StandardOutput.write(try Document(machine: .current(), records: [], claims: claims).json())
        }
    }

    private static func text(_ claim: ClaimDescription) -> String {
        let margin = "  "
        func paragraph(_ text: String) -> String {
            HelpText.lines(text, width: HelpText.width - margin.count).map { "\(margin)\($0)\n" }.joined()
        }
        return "\(claim.claim): \(claim.saidBy)\n" + paragraph(claim.statement)
            + claim.claimed.map { paragraph("claimed: \($0.name): \($0)") }.joined()
    }
}
