// What a page of results is made of, whatever it is written as. Text in a block is plain: each writer escapes it.

/// A part of a page.
enum PageBlock {
    /// The headline, the verdict, what follows it, and the key figures.
    case opening(Article)
    /// 2 to 4; the anchor is what links within the page name.
    case heading(Int, String, anchor: String? = nil)
    case paragraph(String)
    /// A paragraph after a word in bold.
    case labelled(String, String)
    /// What a source said.
    case quotation(String, by: String)
    case warning(String)
    case list([String])
    /// The summary: each line begins with its subject.
    case lines([Article.Line])
    case table(TextTable)
    /// Claims with their verdicts, each linked to its section.
    case claims([ClaimRow])
    /// How a claim fared, in a sentence.
    case finding(ClaimRow)
    case work(Article.Work)
    /// What to type to measure it again, and how long that took.
    case again(String, String?)
    /// What was run, in words.
    case run(String)
    /// What would change the verdict.
    case change(String)
    case plot(Plot)
    /// Hidden until asked for, and in no text but that of the HTML.
    case details(String, [PageBlock])
    /// How a rule decided; in HTML hidden until asked for.
    case decision([PageBlock])
    /// The sections of claims, each with its anchor; in Markdown they are pages of their own.
    case sections(String, [(anchor: String, blocks: [PageBlock])])
}

/// A claim in the table of claims and at the head of its section.
struct ClaimRow {
    var claim: String
    var title: String
    var author: String
    var verdict: Verdict
    /// Whether this project made the claim itself.
    var isOurs: Bool
    var sentence: String
}
