// System errors have the C library's text beside their number.
import CShim
import Glibc
import Testing

@testable import Faultline

@Suite struct ErrorTexts {
    @Test func aRefusalSaysWhichCallFailedWithWhat() {
        let refusal = StackError.Refusal(.call(.FL_SITE_ARENA_MAP), EACCES, for: .creation)
        #expect("\(StackError.unavailable(refusal))" == "no stack: arena-map failed with errno 13: Permission denied")
        let growth = StackError.Refusal(.call(.FL_SITE_ARENA_MAP), 5000, for: .growth)
        #expect("\(growth)" == "no room: arena-map failed with errno 5000: Unknown error 5000")
    }
}
