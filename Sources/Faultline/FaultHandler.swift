internal import CShim

/// The process-wide handler of SIGSEGV and SIGBUS, which is installed when the first stack is made.
///
/// A fault that does not concern a stack goes to the handler that was installed before, with its mask and flags. A
/// library that installs its own handler *later* takes these signals away. Making a stack then throws
/// ``StackError/unavailable(_:)`` until ``install()`` puts this handler in front again.
public enum FaultHandler {
    /// Whether the handlers in force are this library's.
    public static var isInstalled: Bool { fl_handler_is_installed() }

    /// Installs the handlers; those in force become the previous ones. Does nothing where this library's are in force.
    /// - Throws: ``StackError/unavailable(_:)`` when the kernel refuses.
    public static func install() throws(StackError) {
        try initializeShim()
        try StackError.check(fl_handler_install(), .call(.FL_SITE_HANDLER_SET))
    }
}
