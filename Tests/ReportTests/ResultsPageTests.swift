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
        verdict.measured.append(MeasuredFigure(Figure("extra", .count), Estimate(exactly: 7)))
        var document = Document(
            machine: Samples.machine, records: [own(Samples.time), own(Samples.ratio), control, Samples.statistic],
            notes: ["<script>alert(1)</script> | *bold* & \u{1B}[2J ](x)"], verdicts: [verdict],
            claims: Samples.judged.claims)
        document.machine.warnings = ["the machine is busy"]
        return ResultsPage(
            document, summary: ["first", "second"],
            plots: [
                Plot(name: "check-cost-layouts", svg: "<svg><dc:title>Cost &lt; 5 %</dc:title></svg>"),
                Plot(name: "verdicts", svg: "<svg/>"),
            ])
    }

    @Test func `the page is written as Markdown`() throws {
        #expect(
            try Self.page.markdown() == """
                # Faultline: the claims, measured

                ## Summary

                1. first
                2. second

                **Warning:** the machine is busy

                ## Verdicts

                One claim: 1 depends. Each verdict is computed from what was measured.

                ![verdicts](plots/verdicts.svg)

                | claim | verdict | number | claimed | measured | reason |
                | --- | --- | --- | ---: | ---: | --- |
                | [check-cost](#check-cost) | **depends** | gain | 0.03 to 0.05 | 0.0200 [0.0100, 0.0400] | 0.02 lies below 0.03 |
                |  |  | crossings | at least 4 |  |  |

                Numbers are medians with 95 % bootstrap intervals, of rounds in which all cases took turns in an order \
                drawn anew. Ratios are taken within each round. Lower is better.

                ## check-cost

                > Checks cost something.
                >
                > — a source

                **depends**: 0.02 lies below 0.03

                | number | claimed | measured |
                | --- | ---: | ---: |
                | gain | 0.03 to 0.05 | 0.0200 [0.0100, 0.0400] |
                | crossings | at least 4 |  |
                | extra |  | 7 |

                ![Cost &lt; 5 %](plots/check-cost-layouts.svg)

                **What was run:**

                - plain and checked

                **Null controls:** the same code twice; how far its ratio is from 1 is noise.

                | case | metric | median | 95 % interval | baseline | samples | null-control |
                | --- | --- | ---: | ---: | --- | ---: | --- |
                | plain null | ratio | 0.43 | [0.43, 0.44] | plain | 31 | true |

                <details><summary>2 records</summary>

                clock=monotonic

                | case | metric | median | 95 % interval | baseline | samples | parameters |
                | --- | --- | ---: | ---: | --- | ---: | --- |
                | api | time | 2.71 ns | [2.69, 2.75] |  | 31 | iterations=100000 pinned=true spread=0.25 |
                | api | ratio | 0.43 | [0.43, 0.44] | boost-fcontext | 31 |  |

                </details>

                **To run it again (it took 12.5 s):**

                    faultline reproduce check-cost --quick

                ## statistics

                <details><summary>One record</summary>

                | case | metric | value |
                | --- | --- | ---: |
                | json | bytes-committed | 16 KiB |

                </details>

                ## The machine

                | fact | value |
                | --- | --- |
                | processor | Some Processor |
                | architecture | x86\\_64 |
                | processors online | 2 |
                | memory | 24 GiB |
                | page size | 4 KiB |
                | kernel | Linux 6.12.0 |
                | load average before the run | 0.25 |
                | spectre\\_v2 | Mitigation: Retpolines |

                ## Notes

                - &lt;script>alert(1)&lt;/script> \\| \\*bold\\* &amp; ?[2J \\](x)

                """)
    }

    @Test func `the page in HTML stands alone and lets no text through as markup`() throws {
        let html = try Self.page.html()
        #expect(html.hasPrefix("<!DOCTYPE html>\n"))
        #expect(!html.contains("<script"))
        #expect(html.contains("<li>&lt;script&gt;alert(1)&lt;/script&gt; | *bold* &amp; ?[2J ](x)</li>"))
        #expect(html.contains("prefers-color-scheme: dark"))
        // Nothing is fetched: each image is in the page, and links stay in it.
        for attribute in ["src=\"", "href=\""] {
            for rest in html.split(separator: attribute, omittingEmptySubsequences: false).dropFirst() {
                #expect(rest.hasPrefix("#") || rest.hasPrefix("data:image/svg+xml;base64,"))
            }
        }
        #expect(!html.contains("url("))
        #expect(html.contains("<h2 id=\"check-cost\">check-cost</h2>"))
        #expect(html.contains("<span class=\"badge depends\">depends</span> 0.02 lies below 0.03"))
        #expect(html.contains("<td rowspan=\"2\" class=\"claim\"><a href=\"#check-cost\">check-cost</a></td>"))
        #expect(html.contains("<img alt=\"Cost &lt; 5 %\" src=\"data:"))
        #expect(html.contains("<ol>\n<li>first</li>\n<li>second</li>\n</ol>"))
        #expect(html.contains("base64,PHN2Zy8+\""))
    }

    @Test func `every element is closed in the order in which it was opened`() throws {
        var open: [Substring] = []
        for part in try Self.page.html().split(separator: "<").dropFirst() {
            let name = part.prefix { $0.isLetter || $0.isNumber || $0 == "/" }
            if ["meta", "img", ""].contains(name) { continue }
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
        let text = try page.markdown()
        let section = try #require(text.firstRange(of: "\n## check-cost\n"))
        #expect(text[section.upperBound...].contains("(plots/check-cost-layouts.svg)"))
    }

    @Test func `a page without verdicts has records and the machine`() throws {
        let text = try ResultsPage(Samples.document).markdown()
        #expect(!text.contains("## Verdicts") && !text.contains("## Summary"))
        for suite in ["switch", "faults", "statistics"] { #expect(text.contains("## \(suite)\n")) }
    }

    @Test func `a broken record is not written`() throws {
        var page = Self.page
        page.document.records[0].high = .nan
        #expect(throws: ReportError.self) { try page.markdown() }
        #expect(throws: ReportError.self) { try page.html() }
    }
}
