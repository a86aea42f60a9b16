// `faultline go stack`: the stack that functions need with all that they call.

import ArgumentParser
import Experiments
import Foundation
import GoBinary
import Measurement
import Report

/// Predicts the stack that call trees need.
struct GoStackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stack", abstract: "Predict the stack that functions of a Go executable need.",
        usage: "faultline go stack [<options>] <binary> [<function> [-- <args> ...]]",
        discussion: """
            Adds up frames, by Go's own tables, along the calls in the code. A function has a bound where all that it calls \
            is known: no recursion, no closures and interfaces, nothing deferred. Otherwise what is known is shown, and \
            what is in the way of a bound. Panics, signals, and what runs on a system stack are not counted.

            Also reads executables in C that clang built with -fstack-size-section.

            With --follow the program runs, and the first call of the function is followed instruction by instruction, as far \
            as it stays on its thread: how deep it and what it calls go, beside the bounds. Of each second of --seconds that is \
            some 30,000 to 100,000 instructions, and then the program is ended. It has no input and output, one processor and no collections. A bound that \
            is exceeded is an error of the prediction, and the exit code is 1.

            Examples:
              faultline go stack server
              faultline go stack server strconv.FormatInt
              faultline go stack --format json server main.main
              faultline go stack --follow gofmt go/parser.ParseFile -- -l main.go
            """)

    @Argument(help: ArgumentHelp("A Go executable.", valueName: "binary"))
    var binary: String

    @Argument(
        help: ArgumentHelp("A function with its package; without one the program is summed up.", valueName: "function"))
    var function: String?

    @Argument(help: ArgumentHelp("With --follow: arguments of the program.", valueName: "args"))
    var arguments: [String] = []

    @Flag(help: "Run the program and follow the first call of the function.")
    var follow = false

    @Option(help: ArgumentHelp("Seconds that a call is followed.", valueName: "n"))
    var seconds = 60

    @Option(help: ArgumentHelp("How many functions a list shows.", valueName: "count"))
    var list = 10

    @Option(help: ArgumentHelp("How to print.", valueName: "format"))
    var format = ResultFormat.table

    func validate() throws {
        guard (0...100_000).contains(list) else {
            throw ValidationError("--list \(list) is out of range: 0 to 100000")
        }
        guard !follow || function != nil else {
            throw ValidationError("--follow needs a function: name one that the program calls")
        }
        guard follow || arguments.isEmpty else {
            throw ValidationError("the program runs with --follow only: leave '\(arguments[0])' out")
        }
        guard (1...86_400).contains(seconds) else {
            throw ValidationError("--seconds \(seconds) is out of range: 1 to 86400")
        }
    }

    func run() throws {
        let content = try GoProgramFile.content(binary)
        let analysis: StackAnalysis
        do {
            analysis = try StackAnalysis(of: content)
        } catch {
            throw RuntimeFailure("'\(binary)': \(error)")
        }
        let report = StackNeedReport(analysis: analysis, binary: binary, list: list)
        guard let function else { return try write(report.summary, report.summaryRecords) }
        let numbers = analysis.numbers(named: function)
        guard !numbers.isEmpty else {
            let near = analysis.names(like: function)
            throw RuntimeFailure(
                "'\(binary)' has no function '\(function)'; "
                    + (near.isEmpty ? "say none to list some" : "near it: \(near.joined(separator: ", "))"))
        }
        if follow { return try write(try marks(of: function, analysis), report) }
        try write(
            numbers.map(report.tree).joined(separator: "\n"), numbers.flatMap(report.treeRecords))
    }

    private func marks(of function: String, _ analysis: StackAnalysis) throws -> StackMarks {
        guard !analysis.isPositionIndependent else {
            throw RuntimeFailure(
                "'\(binary)' is position-independent and cannot be followed; build it without -buildmode=pie")
        }
        guard FileManager.default.isExecutableFile(atPath: binary) else {
            throw RuntimeFailure("'\(binary)' may not be run; make it executable (chmod +x)")
        }
        let progress = Report.Progress()
        defer { progress.finish() }
        progress.update("following \(function)")
        do {
            return try StackMarks(
                of: URL(fileURLWithPath: binary).path, arguments, analysis, from: function, seconds: seconds,
                takesPart: true)
        } catch let refused as TracingRefused {
            throw RuntimeFailure(
                "'\(binary)' cannot be followed: ptrace is refused (\(refused.reason)); allow it in the sandbox")
        } catch let failure as MeasurementFailure {
            throw RuntimeFailure("\(failure); it may never be called: give the program other arguments")
        }
    }

    private func write(_ marks: StackMarks, _ report: StackNeedReport) throws {
        try write(report.followed(marks), report.records(marks))
        if let wrong = marks.exceeded.first {
            throw RuntimeFailure(
                "'\(binary)': the bound of \(wrong.function.name) is wrong: \(wrong.function.need) bytes, and a call "
                    + "took \(wrong.deepest); report it with the program")
        }
    }

    private func write(_ text: @autoclosure () -> String, _ records: @autoclosure () -> [Record]) throws {
        switch format {
        case .table: StandardOutput.write(text())
        case .json: StandardOutput.write(try Document(machine: .current(), records: records()).json())
        }
    }
}

/// What is printed of an analysis.
private struct StackNeedReport {
    let analysis: StackAnalysis
    let binary: String
    let list: Int

    private var shared: [ParameterName: ParameterValue] {
        [ParameterName("binary"): .string(binary), .peer: .string(analysis.source)]
    }

    // MARK: the program

    private func count(_ doubt: StackDoubts) -> Int { analysis.functions.count { $0.doubts.contains(doubt) } }

    private var bounded: [StackAnalysis.Function] { analysis.functions.filter(\.isBounded) }

    private var deepest: [StackAnalysis.Function] {
        Array(bounded.sorted { ($0.need, $1.name) > ($1.need, $0.name) }.prefix(list))
    }

    var summary: String {
        let all = analysis.functions.count
        var table = TextTable([.init("stack"), .init("functions", .right), .init("of all", .right)])
        func row(_ name: String, _ count: Int) {
            table.append([name, "\(count)", "\((Double(count) / Double(max(1, all)) * 1000).rounded() / 10) %"])
        }
        row("bounded", bounded.count)
        row("not bounded", all - bounded.count)
        for (doubt, name) in StackDoubts.all where count(doubt) > 0 { row("  for \(name)", count(doubt)) }
        var text = "\(binary): \(analysis.source), \(all) functions\n" + table.rendered(indentation: 2)
        if !deepest.isEmpty {
            var table = TextTable([.init("deepest of the bounded"), .init("bytes", .right), .init("own", .right)])
            for function in deepest { table.append([function.name, "\(function.need)", "\(function.frame ?? 0)"]) }
            text += table.rendered(indentation: 2)
        }
        return text
    }

    var summaryRecords: [Record] {
        let functions = Metric("functions", .count)
        func record(_ name: String, _ count: Int) -> Record {
            Record(suite: "go-stack", case: name, metric: functions, exactly: Double(count), parameters: shared)
        }
        return [record("all", analysis.functions.count), record("bounded", bounded.count)]
            + StackDoubts.all.map { record($0.name, count($0.doubt)) } + deepest.map(need)
    }

    // MARK: a function

    func tree(_ number: Int) -> String {
        let function = analysis.functions[number]
        var text = "\(function.name): "
        if function.isBounded {
            text += "at most \(function.need) bytes below its return address"
            text += analysis.isGo ? ", unless it panics\n" : "\n"
        } else {
            text += "no bound (\(function.doubts.names.joined(separator: ", "))); \(function.need) bytes are known\n"
        }
        var path = TextTable([.init("deepest path"), .init("entered at", .right), .init("own", .right)])
        for step in analysis.deepestPath(from: number) {
            path.append([step.function.name, "\(step.depth)", step.function.frame.map { "\($0)" } ?? "?"])
        }
        text += path.rendered(indentation: 2)
        let findings = analysis.findings(from: number)
        let doubts = findings.filter { !$0.doubts.isEmpty }
        for finding in doubts.prefix(list) {
            text += "  \(finding.doubts.names.joined(separator: ", ")): \(Self.place(finding))\n"
        }
        if doubts.count > list { text += "  and \(doubts.count - list) more functions\n" }
        let switches = findings.filter(\.function.isSwitch).map(\.function.name)
        if !switches.isEmpty { text += "  on another stack: \(switches.joined(separator: ", "))\n" }
        return text
    }

    private static func place(_ finding: StackAnalysis.Finding) -> String {
        var text = finding.function.name
        if finding.function.unknownCalls > 0 { text += ", \(finding.function.unknownCalls) calls" }
        if let circle = finding.circle {
            text += circle.functions == 1 ? ", which calls itself" : ", with \(circle.functions - 1) others in a circle"
            text += ", at most \(circle.bytes) bytes a round"
        }
        let way = finding.chain.dropLast()
        return way.isEmpty ? text : text + ", by \(way.joined(separator: " > "))"
    }

    private func need(_ function: StackAnalysis.Function) -> Record {
        var parameters = shared
        parameters[ParameterName("bounded")] = .bool(function.isBounded)
        if !function.isBounded {
            parameters[ParameterName("doubts")] = .string(function.doubts.names.joined(separator: ", "))
        }
        return Record(
            suite: "go-stack", case: function.name, metric: Metric("stack-need", .bytes),
            exactly: Double(function.need), parameters: parameters)
    }

    // MARK: calls

    func followed(_ marks: StackMarks) -> String {
        var text = "\(binary): \(marks.instructions) instructions were followed"
        text += marks.isWhole ? ", to the end of the call\n" : ", not to the end of the call\n"
        text += "\(marks.marks.count) functions were called and returned; \(marks.bounded.count) of them have a bound: "
        text += "\(marks.exceeded.count) exceeded it, \(marks.reached.count) reached it\n"
        var table = TextTable([.init("deepest calls"), .init("bytes", .right), .init("bound", .right)])
        for mark in deepestCalls(marks) {
            table.append([
                mark.function.name, "\(mark.deepest)", mark.function.isBounded ? "\(mark.function.need)" : "none",
            ])
        }
        return text + table.rendered(indentation: 2)
    }

    private func deepestCalls(_ marks: StackMarks) -> [StackMarks.Mark] {
        func isBefore(_ left: StackMarks.Mark, _ right: StackMarks.Mark) -> Bool {
            (left.deepest, right.function.name) > (right.deepest, left.function.name)
        }
        let bounded = marks.bounded.sorted(by: isBefore).prefix(list)
        let others = marks.marks.filter { !$0.function.isBounded }.sorted(by: isBefore).prefix(list)
        return Array(others + bounded)
    }

    func records(_ marks: StackMarks) -> [Record] {
        let deepest = marks.marks.map { mark in
            Record(
                suite: "go-stack", case: mark.function.name, metric: Metric("deepest-call", .bytes),
                exactly: Double(mark.deepest), parameters: shared)
        }
        return marks.marks.map { need($0.function) } + deepest
    }

    func treeRecords(_ number: Int) -> [Record] {
        [need(analysis.functions[number])]
            + analysis.deepestPath(from: number).map { step in
                Record(
                    suite: "go-stack", case: step.function.name, metric: Metric("entry-depth", .bytes),
                    exactly: Double(step.depth), parameters: shared)
            }
    }
}
