import {
  BadRequestException,
  Controller,
  Get,
  NotFoundException,
  Param,
  Post,
  StreamableFile,
  UploadedFile,
  UseInterceptors,
} from '@nestjs/common';
import { FileInterceptor } from '@nestjs/platform-express';
import { TaskQueue, task } from 'nestjs-tasks';
import { createReadStream } from 'node:fs';
import { extname } from 'node:path';
import { ImageStorage } from './image.storage.js';
import { UploadTasks } from './upload.tasks.js';

@Controller('uploads')
export class UploadsController {
  constructor(
    private readonly queue: TaskQueue,
    private readonly images: ImageStorage,
  ) {}

  @Post()
  @UseInterceptors(FileInterceptor('file', { limits: { fileSize: 10_000_000 } }))
  async upload(@UploadedFile() file: { buffer: Buffer } | undefined) {
    if (!file) throw new BadRequestException(`Send an image as multipart/form-data, in the field 'file'.`);
    const name = await this.images.store(file.buffer);
    if (!name) throw new BadRequestException('The file is no image. Send a JPEG, PNG, WebP or GIF.');
    const job = await this.queue.enqueue(task(UploadTasks).makeThumbnails(name), { delay: '5s' });
    return { jobId: job.id, status: 'queued', file: name };
  }

  @Get(':name')
  async download(@Param('name') name: string): Promise<StreamableFile> {
    const path = await this.images.pathOf(name);
    if (!path) throw new NotFoundException(`No image is kept as '${name}'.`);
    return new StreamableFile(createReadStream(path), { type: `image/${extname(name).slice(1)}` });
  }
}
