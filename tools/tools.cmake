# The programs: the silicast command and its benchmarks.
file(GLOB silicast_command_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/tools/command/*.cpp)
add_executable(silicast ${silicast_command_sources})
target_link_libraries(silicast PRIVATE silicast_study Boost::program_options)
install(TARGETS silicast RUNTIME DESTINATION bin)
install(DIRECTORY configs/ DESTINATION share/silicast/configs)

add_executable(silicast-bench tools/bench/silicast_bench.cpp)
target_link_libraries(silicast-bench PRIVATE silicast_run Boost::program_options)
add_executable(silicast-flow-bench tools/bench/flow_bench.cpp)
target_link_libraries(silicast-flow-bench PRIVATE silicast_perf)
