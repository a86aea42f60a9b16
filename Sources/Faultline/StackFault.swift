internal import CShim

/// A fault that ended a coroutine instead of the process.
public enum StackFault: Error, CustomStringConvertible {
    /// The stack's maximum was reached, or room could not be made.
    case overflow(Overflow)
    /// An access to the nil page; only where ``StackConfiguration/containsNilDereference`` is set.
    case nilDereference(NilDereference)

    /// A stack that reached its maximum, or was refused room before that.
    public struct Overflow: Sendable {
        /// The configured maximum in bytes.
        public let limit: Int
        /// Bytes between the stack's base and the stack pointer.
        public let bytesInUse: Int
        /// Why room was refused before the maximum was reached, if it was.
        public let refused: StackError.Refusal?
        let addresses: [UInt]

        /// The top frames, at most 32, innermost first. Symbols are looked up now, by reading the files of the images.
        public var backtrace: [StackFrame] { Symbolizer.frames(at: addresses) }
    }

    /// An access to an address too low for any mapping.
    public struct NilDereference: Sendable {
        /// The accessed address, which is below `vm.mmap_min_addr` (65,536 by default).
        public let address: UInt
        /// The address of the instruction.
        public let instruction: UInt
        let addresses: [UInt]

        /// The top frames, at most 32, innermost first. Symbols are looked up now, by reading the files of the images.
        public var backtrace: [StackFrame] { Symbolizer.frames(at: addresses) }
    }

    public var description: String {
        switch self {
        case .overflow(let overflow):
            let cause =
                overflow.refused.map { " (\($0.call) failed with errno \($0.errno): \(errorText($0.errno)))" } ?? ""
            // A larger maximum does not help where growth was refused below the present one.
            let remedy = overflow.refused.map(\.remedy) ?? "; raise the stack's maximum"
            return
                "stack overflow: \(overflow.bytesInUse) bytes in use of \(overflow.limit)\(cause)"
                + (remedy.isEmpty ? "; it could be given no more room" : remedy)
        case .nilDereference(let nilDereference):
            return "nil dereference of address 0x\(String(nilDereference.address, radix: 16)) at instruction "
                + "0x\(String(nilDereference.instruction, radix: 16))"
        }
    }

    /// The fault that ended `stack`.
    init(of stack: UnsafePointer<fl_stack>) {
        let report = fl_stack_fault(stack)
        let count = Int(report.pointee.frames)
        let addresses = withUnsafeBytes(of: report.pointee.backtrace) {
            Array($0.bindMemory(to: UInt.self).prefix(count))
        }
        if report.pointee.verdict == .FL_VERDICT_NIL_DEREFERENCE {
            self = .nilDereference(
                NilDereference(
                    address: UInt(report.pointee.address), instruction: UInt(report.pointee.ip), addresses: addresses))
            return
        }
        let failure = fl_failure(error: report.pointee.error, site: report.pointee.site)
        self = .overflow(
            Overflow(
                limit: Int(report.pointee.limit), bytesInUse: Int(report.pointee.used),
                refused: StackError.Refusal(failure, for: .growth), addresses: addresses))
    }
}
