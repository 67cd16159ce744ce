import AssayCommand

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

exit(Assay.run(Array(CommandLine.arguments.dropFirst())))
