# What `cmake --install` puts where, and the Debian package that `cpack -G DEB` makes of it.
include(GNUInstallDirs)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # a package needs the program, not the tests

install(TARGETS docket RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${PROJECT_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${PROJECT_SOURCE_DIR}/packaging/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Completion scripts and the manual page come from the program itself, so they know every command.
set(completions ${PROJECT_BINARY_DIR}/completions)
foreach(shell bash zsh fish)
  install(CODE "
    file(MAKE_DIRECTORY \"${completions}\")
    execute_process(COMMAND \"$<TARGET_FILE:docket>\" completion ${shell}
                    OUTPUT_FILE \"${completions}/docket.${shell}\" COMMAND_ERROR_IS_FATAL ANY)")
endforeach()
install(FILES ${completions}/docket.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME docket)
install(FILES ${completions}/docket.zsh
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _docket)
install(FILES ${completions}/docket.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(CODE "
  execute_process(COMMAND \"$<TARGET_FILE:docket>\" man COMMAND gzip -9n
                  OUTPUT_FILE \"${completions}/docket.1.gz\" COMMAND_ERROR_IS_FATAL ANY)")
install(FILES ${completions}/docket.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# Only the package brings the service: paths below /etc and /lib are not ours to write from an
# installation under /usr/local.
install(FILES ${PROJECT_SOURCE_DIR}/packaging/docket.toml DESTINATION /etc/docket
        COMPONENT service EXCLUDE_FROM_ALL)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/docket.service DESTINATION /lib/systemd/system
        COMPONENT service EXCLUDE_FROM_ALL)

set(CPACK_PACKAGE_NAME docket)
set(CPACK_PACKAGE_VENDOR "The docket authors")
set(CPACK_PACKAGE_CONTACT "The docket authors <root@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "durable job server with cron schedules")
set(CPACK_PACKAGE_DESCRIPTION
    "docket runs commands now, on cron schedules and after each other. Everything it has\n\
acknowledged survives a crash, and running jobs survive a restart of the server. It\n\
speaks the DC/OS Jobs (Metronome) API, and one of its own.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_SET_DESTDIR ON)  # for the absolute paths above
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_CMAKE_PROJECTS "${PROJECT_BINARY_DIR};docket;Unspecified;/"
                                 "${PROJECT_BINARY_DIR};docket;service;/")
set(CPACK_GENERATOR DEB)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, tzdata")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${PROJECT_SOURCE_DIR}/packaging/conffiles ${PROJECT_SOURCE_DIR}/packaging/postinst
    ${PROJECT_SOURCE_DIR}/packaging/prerm ${PROJECT_SOURCE_DIR}/packaging/postrm)
include(CPack)
