// The answer in a few lines, for somebody who designs a language.

import Report

public enum Answer {
    /// The lines that follow from the verdicts and figures of a document.
    public static func lines(_ document: Document) -> [String] { [] }
}
