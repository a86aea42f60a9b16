// `faultline go census`: which functions of Go programs have a stack check, and what the checks take.

import ArgumentParser
import Experiments
import GoBinary
import Measurement
import Report

/// Counts the checks of Go executables.
struct GoCensusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "census", abstract: "Count the stack checks of Go executables.",
        discussion: """
            The hot part of a check is what runs when it passes, the cold part what it leads to when it fails.

            Examples:
              faultline go census /usr/lib/go-1.19/bin/gofmt
              faultline go census --format json server client > census.json
            """)

    @Argument(help: ArgumentHelp("Go executables.", valueName: "binary"))
    var binaries: [String]

    @Option(help: ArgumentHelp("How many of the functions with the largest frames are shown.", valueName: "count"))
    var frames = 10

    @Option(help: ArgumentHelp("How to print.", valueName: "format"))
    var format = ResultFormat.table

    func validate() throws {
        guard (0...1000).contains(frames) else {
            throw ValidationError("--frames \(frames) is out of range: 0 to 1000")
        }
    }

    func run() throws {
        // All are read before anything is printed.
        let programs = try binaries.map { (path: $0, program: try GoProgramFile.read($0)) }
        let censuses = programs.map {
            (path: $0.path, program: $0.program, census: CheckCensus($0.program, frames: frames))
        }
        switch format {
        case .table:
            StandardOutput.write(
                censuses.map { Self.text($0.path, $0.program, $0.census) }.joined(separator: "\n"))
        case .json:
            let records = censuses.flatMap { Self.records($0.path, $0.program, $0.census) }
            StandardOutput.write(try Document(machine: .current(), records: records).json())
        }
    }

    private static func share(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }

    private static func percent(_ part: Int, _ whole: Int) -> String {
        "\((share(part, whole) * 1000).rounded() / 10) %"
    }

    private static func each(_ sum: Int, _ count: Int) -> String {
        count == 0 ? "" : "\((Double(sum) / Double(count) * 100).rounded() / 100)"
    }

    private static func text(_ path: String, _ program: GoExecutable, _ census: CheckCensus) -> String {
        var table = TextTable([
            .init("check"), .init("functions", .right), .init("of all", .right), .init("hot instructions", .right),
            .init("hot bytes", .right), .init("cold instructions", .right), .init("cold bytes", .right),
            .init("hot of .text", .right), .init("cold of .text", .right),
        ])
        func row(_ name: String, _ tally: CheckCensus.Tally) {
            table.append([
                name, "\(tally.functions)", percent(tally.functions, census.functions),
                each(tally.hotInstructions, tally.functions), each(tally.hotBytes, tally.functions),
                each(tally.coldInstructions, tally.functions), each(tally.coldBytes, tally.functions),
                percent(tally.hotBytes, census.textBytes), percent(tally.coldBytes, census.textBytes),
            ])
        }
        for frameClass in FrameClass.allCases {
            if let tally = census.classes[frameClass] { row("\(frameClass.rawValue) frame", tally) }
        }
        row("all", census.total)
        table.append([
            "none", "\(census.unchecked)", percent(census.unchecked, census.functions), "", "", "", "", "", "",
        ])
        var text =
            "\(path): \(program.build.version), \(census.functions) functions, \(census.textBytes) bytes of code\n"
        text += table.rendered(indentation: 2)
        if census.notUnderstood > 0 { text += "  not understood: \(census.notUnderstood)\n" }
        let frames = census.largestFrames.filter { $0.frameSize != nil }
        if !frames.isEmpty {
            var largest = TextTable([.init("largest frames"), .init("bytes", .right)])
            for function in frames { largest.append([function.name, "\(function.frameSize ?? 0)"]) }
            text += largest.rendered(indentation: 2)
        }
        return text
    }

    private static func records(_ path: String, _ program: GoExecutable, _ census: CheckCensus) -> [Record] {
        let shared: [ParameterName: ParameterValue] = [
            ParameterName("binary"): .string(path), .peer: .string(program.build.version),
            .functions: .int(census.functions),
            .text: .int(census.textBytes), ParameterName("not-understood"): .int(census.notUnderstood),
        ]
        func record(_ name: String, _ metric: Metric, _ value: Double) -> Record {
            Record(suite: "go-census", case: name, metric: metric, exactly: value, parameters: shared)
        }
        func ratio(_ name: String, of baseline: String, _ part: Int, _ whole: Int) -> Record {
            .ratio(
                suite: "go-census", case: name, baseline: baseline, estimate: Estimate(exactly: share(part, whole)),
                parameters: shared)
        }
        var records: [Record] = []
        let rows = FrameClass.allCases.map { ($0.rawValue, census.classes[$0]) } + [("all", census.total)]
        for case (let name, let tally?) in rows where tally.functions > 0 {
            let count = Double(tally.functions)
            records += [
                record(name, Metric("functions", .count), count),
                ratio("\(name)-functions", of: "all functions", tally.functions, census.functions),
                record(name, .hotInstructions, Double(tally.hotInstructions) / count),
                record(name, .hotBytes, Double(tally.hotBytes) / count),
                record(name, .coldInstructions, Double(tally.coldInstructions) / count),
                record(name, .coldBytes, Double(tally.coldBytes) / count),
                ratio("\(name)-hot-text", of: ".text", tally.hotBytes, census.textBytes),
                ratio("\(name)-text", of: ".text", tally.hotBytes + tally.coldBytes, census.textBytes),
            ]
        }
        for function in census.largestFrames {
            if let size = function.frameSize {
                records.append(record(function.name, Metric("frame", .bytes), Double(size)))
            }
        }
        return records
    }
}
