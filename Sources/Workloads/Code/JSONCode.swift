// The entry point of the JSON workload: parse, walk, destroy.

/// Parses `input` and returns the hash of its digest. counts: values, depth, names, bytes of strings and names.
@c(fl_json_run)
public func runJSONCode(
    _ input: UnsafePointer<UInt8>?, _ length: Int, _ parameter: UInt64, _ outcome: UnsafeMutableRawPointer
) -> UInt64 {
    let outcome = CodeOutcome(outcome)
    var parser = JSONParser(UnsafeBufferPointer(start: input, count: length))
    do throws(JSONFailure) {
        var document = try parser.parseDocument()
        var digest = JSONDigest()
        digest.add(document, level: 0)
        JSONValue.dismantle(&document)
        outcome.setCount(0, digest.values)
        outcome.setCount(1, digest.depth)
        outcome.setCount(2, digest.names)
        outcome.setCount(3, digest.stringBytes)
        return digest.hash.value
    } catch {
        outcome.fail("not JSON at byte \(error.offset): \(error.reason)")
        return 0
    }
}
