// The entry point of the Scheme workload.

/// Runs the program in `input`. The checksum covers what it displayed and the value of its last expression; that value,
/// written out, is the message. counts: procedure calls, deepest nesting of evaluations.
@c(fl_lisp_run)
public func runSchemeCode(
    _ input: UnsafePointer<UInt8>?, _ length: Int, _ parameter: UInt64, _ outcome: UnsafeMutableRawPointer
) -> UInt64 {
    let outcome = CodeOutcome(outcome)
    let interpreter = SchemeInterpreter()
    defer { interpreter.breakCycles() }
    do throws(SchemeFailure) {
        let prelude = SchemeBuiltins.prelude
        _ = try interpreter.run(UnsafeBufferPointer(start: prelude.utf8Start, count: prelude.utf8CodeUnitCount))
        let value = try interpreter.run(UnsafeBufferPointer(start: input, count: length))
        var text = ""
        value.write(to: &text, display: false)
        var hash = FNVHash()
        hash.add(text: interpreter.output)
        hash.add(text: text)
        outcome.setCount(0, interpreter.applications)
        outcome.setCount(1, interpreter.deepest)
        outcome.setMessage(text)
        return hash.value
    } catch {
        outcome.fail("Scheme error: \(error.reason)")
        return 0
    }
}
