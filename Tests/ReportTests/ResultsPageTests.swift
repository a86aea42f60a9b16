import Foundation
import Measurement
import Report
import Testing

struct ResultsPageTests {
    /// A claim that depends, with a time, a ratio, a null control, two plots and a hostile note.
    private static var page: ResultsPage {
        func own(_ record: Record) -> Record {
            var record = record
            record.suite = "check-cost"
            return record
        }
        var control = own(Samples.ratio)
        control.name = "plain null"
        control.parameters = ["baseline": "plain", "null-control": true]
        var verdict = Samples.verdict
        verdict.command = "faultline reproduce check-cost --quick"
        verdict.seconds = 12.5
        verdict.measured.append(MeasuredFigure(Figure("fault-move, extra", .count), Estimate(exactly: 7)))
        var document = Document(
            machine: Samples.machine, records: [own(Samples.time), own(Samples.ratio), control, Samples.statistic],
            notes: ["<script>alert(1)</script> | *bold* & \u{1B}[2J ](x)"], verdicts: [verdict],
            claims: Samples.judged.claims)
        document.machine.warnings = ["the machine is busy"]
        return ResultsPage(
            document, article: article,
            plots: [
                Plot(
                    name: "check-cost-layouts",
                    svg: "<svg><dc:title>Cost &lt; 5 %</dc:title><dc:description>Look\n at it.</dc:description></svg>",
                    narrow: "<svg/>"),
                Plot(name: "verdicts", svg: "<svg/>"),
            ])
    }

    private static var article: Article {
        var article = Article(question: "Is it so?")
        article.answer = "No: <b>."
        article.paragraphs = ["Because."]
        article.keyFigures = [.init("2.0 %", "is little", claim: "check-cost")]
        article.lines = [.init("Checks", "They cost little.", claims: ["check-cost"])]
        article.findings = ["check-cost": .init(title: "What it costs", sentence: "It costs 2.0 %.", change: "A cost.")]
        article.related = (try? JSONDecoder().decode([Article.Work].self, from: Data(Self.work.utf8))) ?? []
        article.guide = [.init("all", "scripts/reproduce", "an hour")]
        article.needs = ["Linux."]
        article.untested = "A rumour."
        article.words = ["fault-move": "a fault that moves"]
        return article
    }

    private static let work = """
        [{"name": "A paper", "address": "https://example.org/", "found": "It found that.", "ours": "The same."}]
        """

    /// The pages, by their paths.
    private static func markdown(_ page: ResultsPage) throws -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: try page.markdown().map { ($0.path, $0.text.replacing("\u{A0}", with: " ")) })
    }

    @Test func `the page is written as Markdown`() throws {
        #expect(
            try Self.markdown(Self.page)["report.md"] == """
                # Is it so?

                **No: &lt;b>.**

                Because.

                **2.0 %** is little

                **Warning:** the machine is busy

                ## In 1 lines

                1. **Checks.** They cost little.

                ## The claims

                One claim: 1 depends. A verdict is computed from what was measured and what was claimed. Depends means \
                that a claim holds up to a boundary, which its rule names, or in one run and not in another; ours, that \
                we made it ourselves.

                | claim | by | verdict | what came out |
                | --- | --- | --- | --- |
                | [What it costs](claims/check-cost.md) | a source | **depends** | It costs 2.0 %. |

                ![verdicts](plots/verdicts.svg)

                Numbers are medians, with the intervals that hold the true one in 95 of 100 such runs. Where things are \
                compared, they took turns in an order drawn anew for each round, and ratios are taken within a round. \
                A mean over programs is a geometric one. Tables say of how many samples (n) a number is.

                **Not tested:** A rumour.

                ## statistics

                ## Related work

                [A paper](https://example.org/). It found that. *Here:* The same.

                ## Measure it again

                | to make again | type | it takes |
                | --- | --- | --- |
                | all | scripts/reproduce | an hour |

                **A second machine needs:**

                - Linux.

                ## The machine

                | fact | value |
                | --- | --- |
                | processor | Some Processor |
                | processors online | 2 |
                | memory | 24 GiB |
                | system | Linux 6.12.0 |

                """)
    }

    @Test func `each claim has a page in Markdown`() throws {
        var page = Self.page
        page.document.verdicts?[0].disturbed = "others used 1.2 processors meanwhile"
        let pages = try Self.markdown(page)
        #expect(pages.keys.sorted() == ["claims/check-cost.md", "report.md"])
        #expect(
            pages["claims/check-cost.md"] == """
                # What it costs

                **depends**: It costs 2.0 %. Others used the processors meanwhile.

                > Checks cost something. — a source

                ![Cost &lt; 5 %](../plots/check-cost-layouts.svg)

                | number | claimed | measured | 95 % interval | n |
                | --- | ---: | ---: | ---: | ---: |
                | gain | 3 to 5 % | 2.0 % | 1.0 to 4.0 % | 16 |
                | crossings | at least 4 |  |  |  |

                **What was run:** Plain and checked.

                **What would change the verdict:** A cost.

                **Again:** `faultline reproduce check-cost --quick`, 13 seconds

                **Rule:** \(Samples.verdict.reason)

                **Disturbed:** Others used 1.2 processors meanwhile.

                | number | measured |
                | --- | ---: |
                | a fault that moves, extra | 7 |

                """)
    }

    @Test func `the page in HTML stands alone and lets no text through as markup`() throws {
        let html = try Self.page.html()
        #expect(html.hasPrefix("<!DOCTYPE html>\n"))
        #expect(!html.contains("<script"))
        #expect(html.contains("<li>&lt;script&gt;alert(1)&lt;/script&gt; | *bold* &amp; ?[2J ](x)</li>"))
        #expect(html.contains("prefers-color-scheme: dark"))
        // Nothing is fetched: each image is in the page, and links stay in it but for the work of others.
        for attribute in ["src=\"", "srcset=\"", "href=\""] {
            for rest in html.split(separator: attribute, omittingEmptySubsequences: false).dropFirst() {
                #expect(
                    rest.hasPrefix("#") || rest.hasPrefix("data:image/svg+xml;base64,")
                        || rest.hasPrefix("https://example.org/"))
            }
        }
        #expect(!html.contains("url("))
        #expect(html.contains("<section id=\"check-cost\">\n<h3>What it costs</h3>"))
        #expect(html.contains("<span class=\"badge depends\">depends</span> It costs 2.0 %."))
        #expect(html.contains("<a href=\"#check-cost\">What it costs</a>"))
        #expect(html.contains("<img alt=\"Cost &lt; 5 %\" src=\"data:"))
        #expect(html.contains("<figcaption>Look at it.</figcaption>"))
        #expect(html.contains("srcset=\"data:image/svg+xml;base64,PHN2Zy8+\""))
        #expect(html.contains("<td>a fault that moves, extra</td>"))
        // The rule and the records are there, folded.
        #expect(html.contains("<details><summary>How the rule decided</summary>"))
        #expect(html.contains("<details><summary>Measured: 3 records</summary>"))
    }

    @Test func `parts stand in the order in which they are read`() throws {
        let (before, after) = (
            ["Is it so?", "No: ", "Because.", "is little", "They cost little.", "It costs 2.0 %."],
            ["It found that.", "scripts/reproduce", "Some Processor"]
        )
        let claim = ["Claim by claim", "Checks cost something.", "A cost."]
        for (text, parts) in [
            (try Self.page.html(), before + claim + after),
            (try Self.markdown(Self.page)["report.md"]!, before + after),
        ] {
            // The contents name parts, too, and stand first.
            var rest = text[(text.firstRange(of: "</nav>\n<main>")?.upperBound ?? text.startIndex)...]
            for part in parts {
                let range = try #require(rest.firstRange(of: part), "\(part)")
                rest = rest[range.upperBound...]
            }
        }
    }

    @Test func `every element is closed in the order in which it was opened`() throws {
        var open: [Substring] = []
        for part in try Self.page.html().split(separator: "<").dropFirst() {
            let name = part.prefix { $0.isLetter || $0.isNumber || $0 == "/" }
            if ["meta", "img", "source", ""].contains(name) { continue }
            if name.hasPrefix("/") {
                #expect(open.popLast() == name.dropFirst())
            } else {
                open.append(name)
            }
        }
        #expect(open == [])
    }

    @Test func `a plot belongs to the longest identifier that begins its name`() throws {
        var page = Self.page
        var shorter = Samples.verdict
        shorter.claim = "check"
        page.document.verdicts?.insert(shorter, at: 0)
        let pages = try Self.markdown(page)
        #expect(try #require(pages["claims/check-cost.md"]).contains("(../plots/check-cost-layouts.svg)"))
        #expect(try #require(pages["claims/check.md"]).contains("plots/") == false)
    }

    @Test func `a claim of ours is said to be one`() throws {
        var page = Self.page
        page.document.verdicts?[0].saidBy = "ours: taken for granted"
        let html = try page.html()
        #expect(html.contains("depends · ours</span>") && html.contains("<footer>a claim of ours</footer>"))
    }

    @Test func `a page of several runs shows what each found, when and where`() throws {
        var page = Self.page
        var other = page.document
        page.document.began = "2026-11-27T20:40:00Z"
        (other.machine.processorModel, other.seed, other.began) = ("Another", 2, "2026-11-28T23:10:00Z")
        other.machine.sourceRevision = "5c1bc4c"
        page.document.runs = [MeasuredRun(name: "first", page.document), MeasuredRun(name: "second", other)]
        page.document.verdicts?[0].measured[0].byRun = [0.01, 0.03]
        page.document.verdicts?[0].disturbed = "second: others used 1.2 processors meanwhile"
        page.document.verdicts?[0].byRun = [.confirmed, .notMeasurable]
        let pages = try Self.markdown(page)
        let text = try #require(pages["report.md"])
        let claim = try #require(pages["claims/check-cost.md"])
        #expect(
            text.contains(
                " Run by run: confirmed in first, not measurable here in second. "
                    + "Others used the processors meanwhile. |"))
        #expect(claim.contains("| number | claimed | measured | 95 % interval | n | in first | in second |"))
        #expect(claim.contains("| gain | 3 to 5 % | 2.0 % | 1.0 to 4.0 % | 16 | 1.00 % | 3.00 % |"))
        #expect(claim.contains("| crossings | at least 4 |  |  |  |  |  |"))
        #expect(text.contains("medians over the runs below, with the intervals that hold those of every run"))
        #expect(text.contains("| second | 2026-11-28T23:10:00Z | 2 | 5c1bc4c | Another | 6.12.0 |"))
        #expect(text.contains("| first | 2026-11-27T20:40:00Z | not known | not known | Some Processor | 6.12.0 |"))
        #expect(text.contains("The runs are of processors of 2 models, and began 26.5 hours apart at most.\n"))
        page.document.runs?[1].machine.processorModel = "Some Processor"
        page.document.runs?[1].began = nil
        #expect(
            try #require(Self.markdown(page)["report.md"]).contains(
                "The runs are of processors of one model, and it is not known when all of them began.\n"))
        let html = try page.html()
        #expect(html.contains("Second: others used 1.2 processors meanwhile."))
        #expect(html.contains("All facts of the machine of second"))
    }

    @Test func `a page without verdicts has records and the machine`() throws {
        let text = try ResultsPage(Samples.document).html()
        #expect(!text.contains("The claims") && !text.contains("Related work"))
        for suite in ["switch", "faults", "statistics"] { #expect(text.contains("<h2 id=\"\(suite)\">\(suite)</h2>")) }
        #expect(text.contains("<details><summary>one record</summary>"))
    }

    @Test func `a broken record is not written`() throws {
        var page = Self.page
        page.document.records[0].high = .nan
        #expect(throws: ReportError.self) { try page.markdown() }
        #expect(throws: ReportError.self) { try page.html() }
    }
}
