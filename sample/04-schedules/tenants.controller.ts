import { Body, Controller, Delete, Param, Put } from '@nestjs/common';
import { task, TaskSchedules, type Duration } from 'nestjs-tasks';
import { ReportTasks } from './report.tasks.js';

@Controller('tenants')
export class TenantsController {
  constructor(private readonly schedules: TaskSchedules) {}

  /** The same again changes nothing, and another interval takes the place of the former. */
  @Put(':id/report')
  async set(@Param('id') id: string, @Body('every') every: Duration = '1s') {
    await this.schedules.set({ name: `report:${id}`, every, signature: task(ReportTasks).tenantReport(id) });
    return { schedule: `report:${id}`, every };
  }

  @Delete(':id/report')
  async remove(@Param('id') id: string) {
    return { removed: await this.schedules.remove(`report:${id}`) };
  }
}
